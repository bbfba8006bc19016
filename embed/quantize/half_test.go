package quantize

import (
	"math"
	"testing"

	"mekiki/embed/checkpoint/weights"
)

// TestHalfBits rounds every value of half precision to itself, and what lies between two to the nearer one.
func TestHalfBits(t *testing.T) {
	for code := range uint16(0x7c00) { // up to infinity
		value := weights.HalfToFloat(code)
		if got := halfBits(value); got != code {
			t.Fatalf("%g is %#x, not %#x", value, got, code)
		}
		if got := halfBits(-value); got != code|0x8000 {
			t.Fatalf("%g is %#x, not %#x", -value, got, code|0x8000)
		}
		if code+1 == 0x7c00 {
			break
		}
		next := weights.HalfToFloat(code + 1)
		middle := value + (next-value)/2
		if got, even := halfBits(middle), code+code&1; got != even {
			t.Fatalf("%g is %#x, not the even %#x", middle, got, even)
		}
		if got := halfBits(math.Nextafter32(middle, next)); got != code+1 {
			t.Fatalf("above %g is %#x, not %#x", middle, got, code+1)
		}
	}
	for value, want := range map[float32]uint16{65519: 0x7bff, 65520: 0x7c00, float32(math.Inf(1)): 0x7c00, -1e30: 0xfc00} {
		if got := halfBits(value); got != want {
			t.Errorf("%g is %#x, not %#x", value, got, want)
		}
	}
}
