package pixels

import "math/bits"

// HammingDistance returns in how many of their 64 bits two perceptual hashes
// differ: 0 for the same picture, about 32 for unrelated ones.
func HammingDistance(a, b uint64) int { return bits.OnesCount64(a ^ b) }
