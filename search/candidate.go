package search

import (
	"cmp"
	"slices"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/words"
)

// candidate is a record that retrieval proposed, with everything that each
// step found out about it.
type candidate struct {
	id     index.ID
	record *index.Record

	// vector is the ITC leg: the cosine with all wanted words, its place in
	// the leg's own list from 1 (0: computed afterwards), and the nearest part.
	vector     float64
	hasVector  bool
	vectorRank int
	part       int

	// keyword is the BM25 leg, likewise.
	keyword     float64
	hasKeyword  bool
	keywordRank int

	// similarity is the likeness to the query's picture.
	similarity     float64
	hasSimilarity  bool
	similarityRank int

	// contributions and the place after fusion, from 1.
	vectorPart, keywordPart float64
	fused                   float64
	fusedRank               int

	// clauseVectors are the cosines with the single clauses, wanted ones
	// first; NaN where there is none.
	clauseVectors []float64
	// words says how much of each clause stands in words, in the order of
	// clauseVectors; captioned says that the record has captions and words a say.
	words     []words.Shares
	captioned bool
	// named says that names and metadata alone answer the query.
	named bool

	// matches are ITM's answers, in the order of clauseVectors; verified says
	// that there is one for every clause, or for enough to rule the hit out.
	matches  []clauseAnswer
	verified bool

	// odds are the log-odds of the hit, and what they rest on.
	odds  float64
	basis contract.Basis
}

// clauseAnswer is ITM's answer on one clause.
type clauseAnswer struct {
	logit, raw float64
	known      bool
}

// sortCandidates orders by a key, the largest first, and then by id, so that
// equal keys have one order.
func sortCandidates(candidates []*candidate, key func(*candidate) float64) {
	slices.SortFunc(candidates, func(a, b *candidate) int {
		if order := cmp.Compare(key(b), key(a)); order != 0 {
			return order
		}
		return cmp.Compare(a.id, b.id)
	})
}

func candidateIDs(candidates []*candidate) []index.ID {
	ids := make([]index.ID, len(candidates))
	for i, candidate := range candidates {
		ids[i] = candidate.id
	}
	return ids
}
