package keyword

import (
	"math"
	"testing"
)

// TestScoreOfADocumentIsThatOfTheIndex: whoever has the statistics of another index scores
// as this one does.
func TestScoreOfADocumentIsThatOfTheIndex(t *testing.T) {
	x, err := OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	documents := []Document{
		{ID: 1, Kind: "image", Captions: []string{"a dog on a beach", "dogs, dogs and more dogs"}, Names: []string{"trip/IMG_2041RedDog.jpg"}, Labels: []string{"dog", "holiday"}},
		{ID: 2, Kind: "image", Captions: []string{"a red house"}, Names: []string{"trip/house.jpg"}, HigherFolders: []string{"Red Sea"}},
		{ID: 3, Kind: "text", Text: "犬が庭で遊んでいる and a dog", Title: "The dog's day"},
		{ID: 4, Kind: "image", Captions: []string{"nothing of the kind"}},
	}
	if err := x.Apply(t.Context(), 1, documents, nil); err != nil {
		t.Fatal(err)
	}
	reader, err := x.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	statistics := Statistics{Documents: len(documents), With: func(field, term string) (count int) {
		for i := range documents {
			for _, one := range documents[i].FieldTerms(field) {
				if one == term {
					count++
					break
				}
			}
		}
		return count
	}}
	for _, words := range []string{"dog", "the red dogs of a holiday", "IMG_2041RedDog", "犬 庭"} {
		hits, err := reader.Search(t.Context(), Query{Words: words, Limit: 10})
		if err != nil || len(hits) == 0 {
			t.Fatalf("%q: %v, %v", words, hits, err)
		}
		for _, hit := range hits {
			if score := NewScorer(words, statistics).Score(documents[hit.ID-1].AllTerms()); math.Abs(score-hit.Score) > 1e-5 {
				t.Errorf("%q: document %d scores %g, in the index %g", words, hit.ID, score, hit.Score)
			}
		}
	}
}
