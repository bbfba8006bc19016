package captionscore_test

import (
	"math"
	"strings"
	"testing"

	"mekiki/internal/testjson"
	"mekiki/search/captionscore"
)

type reference struct {
	Entries []captionscore.Entry
	BLEU    [4]float64
	CIDErD  float64 `json:"cider_d"`
	Each    []float64
	Tokens  [][2]string
}

// readReference gives what pycocoevalcap 1.2 made of 302 captions: of the gallery, some of them spoilt, and of sentences
// with all kinds of punctuation.
func readReference(t *testing.T) reference {
	t.Helper()
	return testjson.Read[reference](t, "testdata/reference.json")
}

func TestWordsAsTheEvaluation(t *testing.T) {
	for _, pair := range readReference(t).Tokens {
		if got := strings.Join(captionscore.Words(pair[0]), " "); got != pair[1] {
			t.Errorf("Words(%q)\n got %s\nwant %s", pair[0], got, pair[1])
		}
	}
}

func TestScoresAsTheEvaluation(t *testing.T) {
	file := readReference(t)
	scores, err := captionscore.Measure(file.Entries)
	if err != nil {
		t.Fatal(err)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %.9f, want %.9f", what, got, want)
		}
	}
	for n, want := range file.BLEU {
		near("BLEU", scores.BLEU[n], want)
	}
	near("CIDEr-D", scores.CIDErD, file.CIDErD)
	for i, want := range file.Each {
		near("CIDEr-D of "+file.Entries[i].Caption, scores.Each[i], want)
	}
}

func TestNothingToMeasure(t *testing.T) {
	for name, entries := range map[string][]captionscore.Entry{"no captions": nil, "no references": {{Caption: "a cat"}}} {
		if _, err := captionscore.Measure(entries); err == nil {
			t.Errorf("%s: it is measured", name)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add("A man's (red) t-shirt, isn't it?")
	f.Fuzz(func(t *testing.T, caption string) {
		for _, word := range captionscore.Words(caption) {
			if word == "" || strings.ContainsAny(word, " \n") {
				t.Errorf("%q has the word %q", caption, word)
			}
		}
	})
}
