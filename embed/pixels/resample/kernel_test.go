package resample

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSumsEqualTheLoops holds the vector sums to the plain loops, for windows
// of every length and with the largest weights.
func TestSumsEqualTheLoops(t *testing.T) {
	if !hasSums() {
		t.Skip("this processor has no vector sums")
	}
	random := rand.New(rand.NewPCG(1, 2))
	src := make([]byte, 3*600)
	for i := range src {
		src[i] = byte(random.Uint32())
	}
	for length := 1; length <= 100; length++ {
		weights := make([]int32, length)
		for i := range weights {
			weights[i] = int32(random.Uint32()) >> 9
		}
		k := kernel{windows: []window{{start: length % 7, to: length}}, weights: weights}
		fast, plain := make([]byte, 3), make([]byte, 3)
		k.row(plain, src)
		k.prepare()
		k.row(fast, src)
		if !slices.Equal(fast, plain) {
			t.Errorf("%d pixels: %v, the loop says %v", length, fast, plain)
		}
		if length > 20 {
			continue
		}
		var sums [32]int32
		const stride = 75
		sumRows(&src[length], stride, &weights[0], length, &sums)
		want := make([]int32, 32)
		sumColumns(want, src[length:], stride, weights)
		if !slices.Equal(sums[:], want) {
			t.Errorf("%d rows: %v, the loop says %v", length, sums, want)
		}
	}
}
