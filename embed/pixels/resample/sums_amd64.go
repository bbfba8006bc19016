package resample

import "golang.org/x/sys/cpu"

// hasSums reports whether sumPixels and sumRows can be called.
func hasSums() bool { return cpu.X86.HasAVX2 }

// sumPixels adds up the products of 8*blocks RGB pixels with weights, of which
// there is one for each byte. Byte i counts in sums[i%24]. It reads just those
// 24*blocks bytes and weights; blocks is at least 1.
//
//go:noescape
func sumPixels(pixels *byte, weights *int32, blocks int, sums *[24]int32)

// sumRows adds up the products of 32 columns of bytes with weights, one for
// each of count rows, which lie stride bytes apart; count is at least 1.
//
//go:noescape
func sumRows(rows *byte, stride int, weights *int32, count int, sums *[32]int32)
