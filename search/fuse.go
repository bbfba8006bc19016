package search

import (
	"cmp"
	"slices"

	"mekiki/search/contract"
	"mekiki/search/scoring"
)

// reciprocalRankConstant is k of reciprocal rank fusion (Cormack et al. 2009).
const reciprocalRankConstant = 60

// fuse judges the candidates of a retrieval and puts them in the order in which ITM
// reads them: by their odds so far, unless the request has a way of its own to join the
// legs.
func (r *retrieval) fuse() {
	r.markPhrases()
	r.judgeAll()
	if r.plan.listing() {
		return
	}
	equal := func(*candidate) float64 { return 0 } // the smallest id first
	switch {
	case r.plan.request.Fusion == contract.FusionReciprocalRank:
		r.fuseRanks()
	case r.plan.request.Weight != nil:
		r.fuseScores()
	default:
		for _, c := range r.candidates {
			c.fused = scoring.Squash(c.odds)
		}
		equal = func(c *candidate) float64 { return c.vector } // a fit may make nothing of ITC in short texts
	}
	sortCandidates(r.candidates, equal)
	slices.SortStableFunc(r.candidates, func(a, b *candidate) int { return cmp.Compare(b.fused, a.fused) })
	for i, c := range r.candidates {
		c.fusedRank = i + 1
	}
}

// fuseScores is the convex combination on fixed scales (Bruch et al., TOIS
// 2023): a score depends on nothing but the candidate's own, so that neither a
// page nor a filter changes it. At the ends of the weight one leg alone decides. A
// picture counts as much as all the words.
func (r *retrieval) fuseScores() {
	weight := r.plan.weight
	for _, c := range r.candidates {
		c.vectorPart = weight * vectorScale(c)
		c.keywordPart = (1 - weight) * r.keywordScale(c)
		c.fused = c.vectorPart + c.keywordPart
		switch {
		case r.plan.picture && r.plan.text == "":
			c.fused = similarityScale(c)
		case r.plan.picture:
			c.fused = (c.fused + similarityScale(c)) / 2
		}
	}
}

// fuseRanks is weighted reciprocal rank fusion. The places are those among all
// candidates, so that every candidate has one in each leg that can score it.
func (r *retrieval) fuseRanks() {
	share := func(has func(*candidate) bool, key func(*candidate) float64, give func(*candidate, float64)) {
		ranked := slices.DeleteFunc(slices.Clone(r.candidates), func(c *candidate) bool { return !has(c) })
		sortCandidates(ranked, key)
		for i, c := range ranked {
			give(c, 1/float64(reciprocalRankConstant+i+1))
		}
	}
	weight := r.plan.weight
	share(func(c *candidate) bool { return c.hasVector }, func(c *candidate) float64 { return c.vector },
		func(c *candidate, part float64) { c.vectorPart = weight * part; c.fused += c.vectorPart })
	share(func(c *candidate) bool { return c.hasKeyword }, func(c *candidate) float64 { return c.keyword },
		func(c *candidate, part float64) { c.keywordPart = (1 - weight) * part; c.fused += c.keywordPart })
	share(func(c *candidate) bool { return c.hasSimilarity }, func(c *candidate) float64 { return c.similarity },
		func(c *candidate, part float64) { c.fused += part })
}

// vectorScale maps a cosine's whole range onto 0 to 1.
func vectorScale(c *candidate) float64 {
	if !c.hasVector {
		return 0
	}
	return (c.vector + 1) / 2
}

// keywordScale maps BM25, a sum over the query's words without an upper bound, onto 0 to
// 1 in its order.
func (r *retrieval) keywordScale(c *candidate) float64 {
	if !c.hasKeyword {
		return 0
	}
	return c.keyword / (c.keyword + wordHalf*float64(r.plan.textWords))
}

func similarityScale(c *candidate) float64 {
	if !c.hasSimilarity {
		return 0
	}
	return (c.similarity + 1) / 2
}
