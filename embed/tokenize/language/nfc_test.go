package language

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// TestCompositionEqualsNorm compares the composition of long runs of marks with
// package norm's, on texts that both can do.
func TestCompositionEqualsNorm(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	characters := []rune("aeouAOU\u0301\u0323\u0302\u0327\u0308\u0344\u0340\u0958\u093c\u0915\u0f71\u0f72\u0f73\u1100\u1161\u11a8\uac00\uac01かば\u3099Å\u212b\u1e9bffi\U0001d157\U0001d165")
	for range 20000 {
		var text []rune
		for range 1 + random.IntN(8) {
			text = append(text, characters[random.IntN(len(characters))])
		}
		// The run that makes it long is of one class that composes with nothing.
		long := string(text) + "\nz" + "\u20d2\u20d2\u20d2\u20d2\u20d2\u20d2\u20d2\u20d2\u20d2\u20d2\u20d2"
		if !hasLongRun(long) {
			t.Fatal("the run is not long")
		}
		if got, want := nfc(long), norm.NFC.String(long); got != want {
			t.Fatalf("%+q: got %+q, want %+q", long, got, want)
		}
	}
}
