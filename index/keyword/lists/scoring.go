package lists

import (
	"math"

	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/scorer"
)

// Scoring is what the score of a term in a field depends on beside the document.
type Scoring struct {
	// IDF is the term's inverse document frequency, and Weight the field's.
	IDF, Weight float64
	// Bound is a score that none is greater than.
	Bound float64
	// Average is the length of the field in words, on average.
	Average int
}

// score is BM25 as bleve computes it, to the bit, with the weight of the field.
func (s *Scoring) score(frequency uint64, norm float64) float64 {
	tf := math.Sqrt(float64(frequency))
	if frequency < scorer.MaxSqrtCache {
		tf = scorer.SqrtCache[frequency]
	}
	length := 1 / (norm * norm)
	score := s.IDF * (tf * search.BM25_k1) /
		(tf + search.BM25_k1*(1-search.BM25_b+(search.BM25_b*length/float64(s.Average))))
	return s.Weight * score
}
