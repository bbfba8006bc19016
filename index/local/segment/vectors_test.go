package segment

import (
	"bytes"
	"math"
	"testing"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
)

func TestHalfPrecision(t *testing.T) {
	for half := range uint32(1 << 16) {
		value := floatOf(uint16(half))
		if math.IsNaN(float64(value)) {
			continue
		}
		if got := halfOf(value); got != uint16(half) {
			t.Fatalf("%#04x is %g, which is %#04x", half, value, got)
		}
		next := floatOf(uint16(half) + 1)
		if half&0x7fff < 0x7bff {
			middle := (float64(value) + float64(next)) / 2
			want := uint16(half + half&1) // ties to even
			if got := halfOf(float32(middle)); got != want {
				t.Fatalf("%g is %#04x, want %#04x", middle, got, want)
			}
		}
	}
}

// FuzzVectors: bytes that are vectors are written again as they were read.
func FuzzVectors(f *testing.F) {
	whole := EncodeVectors(indextest.Unit(1, 3, 8))
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 0, 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		parts, err := DecodeVectors(data)
		if err != nil || CheckParts(parts, embed.Space{Fingerprint: "f", Parts: parts.Count, Width: parts.Width}, index.KindImage) != nil {
			return
		}
		if again := EncodeVectors(parts); !bytes.Equal(again, data) {
			t.Errorf("%x was read, %x written", data, again)
		}
	})
}
