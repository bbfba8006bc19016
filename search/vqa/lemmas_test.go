package vqa_test

import (
	"testing"

	"mekiki/search/vqa"
)

// TestLemmas: answers count as the same in any form of their words, and words that the dictionary lacks stay.
func TestLemmas(t *testing.T) {
	lemmas, err := vqa.NewLemmas()
	if err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[string]string{
		"Surfing, the skis": "surf ski", "mice": "mouse", "women": "woman", "two buses": "2 bus", "yes": "yes", "left": "left", "qwertyx 浜辺": "qwertyx 浜辺", "": "",
	} {
		if got := lemmas.Reduce(answer); got != want {
			t.Errorf("%q: %q, want %q", answer, got, want)
		}
	}
	people := []string{"ski", "skis", "skiing", "skis", "snowboard"}
	if plain, reduced := vqa.Accuracy("skis", people), lemmas.Accuracy("skis", people); !(plain < reduced) || reduced != vqa.Accuracy("ski", []string{"ski", "ski", "ski", "ski", "snowboard"}) {
		t.Errorf("%g in the plain form, %g reduced", plain, reduced)
	}
}
