package keyword

import (
	"strings"
	"testing"
)

// TestPlaces: matched words, by what stands there.
func TestPlaces(t *testing.T) {
	for _, want := range []struct{ query, text, marked string }{
		{"two cats", "a cat beside two Cats", "a [cat] beside [two] [Cats]"},
		{"cat", "the cat's basket; concatenate", "the [cat]'s basket; concatenate"},
		{"red gate", "IMG_2041RedGate.jpg", "IMG_2041[Red][Gate].jpg"},
		{"cafe", "Un Café à Paris", "Un [Café] à Paris"},
		{"cafe", "Un Cafe\u0301 ici", "Un [Cafe\u0301] ici"},
		{"東京", "去年東京に行った", "去年[東京]に行った"},
		{"the of", "the rest of it", "the rest of it"},
		{"x", "", ""},
	} {
		terms := map[string]bool{}
		for _, term := range Terms(want.query) {
			terms[term] = true
		}
		var out strings.Builder
		runes, at := []rune(want.text), 0
		for _, place := range Places(want.text, terms) {
			out.WriteString(string(runes[at:place.Offset]) + "[" + string(runes[place.Offset:place.Offset+place.Length]) + "]")
			at = place.Offset + place.Length
		}
		out.WriteString(string(runes[at:]))
		if out.String() != want.marked {
			t.Errorf("%q in %q: %q, want %q", want.query, want.text, out.String(), want.marked)
		}
	}
}

func FuzzPlaces(f *testing.F) {
	f.Add("two cats", "Zwei Katzen und two CATS 東京")
	f.Fuzz(func(t *testing.T, query, text string) {
		terms := map[string]bool{}
		for _, term := range Terms(query) {
			terms[term] = true
		}
		end, length := 0, len([]rune(text))
		for _, place := range Places(text, terms) {
			if place.Offset < end || place.Length < 1 || place.Offset+place.Length > length {
				t.Fatalf("%+v in %q", place, text)
			}
			end = place.Offset + place.Length
		}
	})
}
