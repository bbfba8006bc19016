package keyword

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestTerms(t *testing.T) {
	for text, want := range map[string]string{
		"IMG_2041RedGate.jpg":                "img 2041 red gate jpg",
		"Nikon Z6":                           "nikon z 6",
		"Été à la plage":                     "et la plage",
		"the dog's dinner, a cat’s berries":  "dog dinner cat berri",
		"boxes of glasses; churches and bus": "box glass church bu",
		"a couple of cats, two pairs":        "coupl cat two pair",
		"東京タワー":                              "東 東京 京 京タ タ タワ ワ ワー ー",
		"猫 cat-dog":                          "猫 cat dog",
		"ＣＡＦＥ́ 写真12":                         "cafe 写 写真 真 12",
		"":                                   "",
		"!?":                                 "",
	} {
		if got := strings.Join(Terms(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestTermsAreTheIndexes: what the index finds by a word has the word's terms.
func TestTermsAreTheIndexes(t *testing.T) {
	x, err := OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	documents := []Document{
		{ID: 1, Names: []string{"/p/Kyoto2024/IMG_0042RedGate.jpg"}}, {ID: 2, Captions: []string{"the dogs' Café, by night"}},
		{ID: 3, Title: "京都の神社"}, {ID: 4, Captions: []string{"a sailing boat"}},
	}
	if err := x.Apply(t.Context(), 1, documents, nil); err != nil {
		t.Fatal(err)
	}
	texts := map[uint64]string{1: "Kyoto2024/IMG_0042RedGate.jpg", 2: "the dogs' Café, by night", 3: "京都の神社", 4: "a sailing boat"}
	for _, word := range []string{"gate", "kyoto", "dog", "CAFE", "nights", "都", "神社", "sail", "boats", "zebra", "42"} {
		found := ids(t, x, Query{Words: word})
		for id, text := range texts {
			want := slices.ContainsFunc(Terms(word), func(term string) bool { return slices.Contains(Terms(text), term) })
			if got := slices.Contains(found, id); got != want {
				t.Errorf("%q in %q: the index says %v, its terms %v", word, text, got, want)
			}
		}
	}
}

// TestFinder compares the finder, which passes over what cannot be a match, with
// analysing every text.
func TestFinder(t *testing.T) {
	vocabulary := strings.Fields("Cats cat CAT dogs dog's berries berry boxes two couple pair of the glasses é été 猫 猫と犬 x9 IMG_2041 HTTPServer ringed-planet t-shirt ab 9")
	random := rand.New(rand.NewPCG(3, 1))
	draw := func() string {
		var words []string
		for range random.IntN(6) {
			words = append(words, vocabulary[random.IntN(len(vocabulary))])
		}
		return strings.Join(words, []string{" ", ", ", "_", "/", ""}[random.IntN(5)])
	}
	for range 3000 {
		terms := Terms(draw())
		slices.Sort(terms)
		terms = slices.Compact(terms)
		finder := NewFinder(terms)
		for range 3 {
			text := draw()
			said := Terms(text)
			found := make([]bool, len(terms))
			finder.Find(text, func(place int) { found[place] = true })
			for place, term := range terms {
				if want := slices.Contains(said, term); found[place] != want {
					t.Fatalf("%q in %q: found %v, want %v", term, text, found[place], want)
				}
			}
		}
	}
}
