package vector

import (
	"context"
	"errors"
	"math"
	"mekiki/index/vector/quantized"
	"mekiki/index/vector/representatives"
	"mekiki/internal/bitset"
	"slices"
)

// scorer scores entries that are proposed, by the codes of all their vectors, the most
// promising first. What an entry scores beyond what it was proposed for is its gap. From the
// gaps so far it estimates which entries cannot be among the k best: where the parts of
// images are much alike it stops early, and where they are not it goes on.
type scorer struct {
	*search
	vectors []float32 // the queries
	k       int
	done    []uint64 // a bit for each entry
	// The number of gaps, their mean, and the sum of their squared differences from it
	// (Welford, 1962).
	gaps, mean, squares float64
	// spread is how many standard deviations beyond the mean a gap is at most, and
	// patience how many entries in a row may be hopeless before the scorer stops.
	spread             float64
	hopeless, patience int
}

// approximate finds k groups by what is proposed: those groups are scored by all their
// codes, and of those the ones that may be among the k best exactly.
func (v *View) approximate(ctx context.Context, queries []float32, k int, allow bitset.Set) ([]Neighbour, error) {
	s := &scorer{
		search: v.newSearch(queries, k), vectors: queries, k: k, done: make([]uint64, v.content.entries/64+1),
		spread: gapSpread + gapSpreadPerDoubling*math.Log2(v.effort), patience: int((patienceBase + patiencePerResult*float64(k)) * v.effort),
	}
	s.allow = allow
	err := v.proposer.propose(ctx, s)
	if errors.Is(err, errLists) {
		return v.SearchExact(ctx, queries, k, allow)
	}
	if err != nil {
		return nil, err
	}
	if s.failed != nil {
		return nil, s.failed
	}
	found, err := s.rescore(ctx, queries, k)
	if err == nil && len(found) < k { // too many were removed or refused by the filter
		return v.SearchExact(ctx, queries, k, allow)
	}
	return found, err
}

// consider scores an entry that is proposed for a score, unless that is hopeless, it was
// scored before, was removed or does not pass the filter. It says whether to go on.
func (s *scorer) consider(at location, proposed float64) (goOn bool) {
	if !s.passes(at) {
		return true
	}
	if s.gaps >= fewestGaps && s.threshold()-proposed > s.mean+s.spread*math.Sqrt(s.squares/s.gaps) {
		s.hopeless++
		return s.hopeless < s.patience
	}
	s.hopeless = 0
	number := s.view.content.number(at)
	if s.done[number>>6]>>(number&63)&1 == 1 {
		return true
	}
	s.done[number>>6] |= 1 << (number & 63)
	score, err := s.proposeLikely(s.view.content.chunk(at.chunk), int(at.slot))
	if err != nil {
		s.failed = err
		return false
	}
	gap := score - proposed
	s.gaps++
	difference := gap - s.mean
	s.mean += difference / s.gaps
	s.squares += difference * (gap - s.mean)
	return true
}

// passes says whether an entry is there and passes the filter.
func (s *scorer) passes(at location) bool {
	if !s.isThere(at) {
		return false
	}
	entry, _ := s.view.content.at(at)
	return s.allow == nil || s.allow.Has(entry.group)
}

// isThere says whether an entry is of the view and was not removed.
func (s *scorer) isThere(at location) bool {
	return at != nowhere && (s.view.content.removed.Count() == 0 || !s.view.content.isRemoved(at))
}

// proposeLikely proposes an entry like propose, but by bounds that are very likely
// instead of certain, so that few have to be scored exactly. It gives the score by codes.
func (s *search) proposeLikely(c *chunk, slot int) (float64, error) {
	rows, codes, err := s.reader.entry(c, slot)
	if err != nil {
		return 0, err
	}
	s.products = slices.Grow(s.products[:0], len(rows))[:len(rows)]
	lower, upper := math.Inf(-1), math.Inf(-1)
	for number := range s.queries {
		query := &s.queries[number]
		s.view.kernel.Dot(query.Codes, codes, s.products)
		best, row := math.Inf(-1), 0
		for i := range s.products {
			if product := float64(rows[i].Scale) * float64(s.products[i]-query.Shift); product > best {
				best, row = product, i
			}
		}
		low, high := query.LikelyBounds(rows[row], s.products[row])
		lower, upper = max(lower, low), max(upper, high)
	}
	if upper >= s.threshold() {
		s.proposals = append(s.proposals, proposal{c, slot, upper})
		s.lowerBounds.Offer(lower, struct{}{})
	}
	return (lower + upper) / 2, nil
}

// represent codes the queries, or the representatives of many.
func (v *View) represent(queries []float32) (coded []quantized.Query) {
	if len(queries) <= representatives.Default*v.width {
		for query := range slices.Chunk(queries, v.width) {
			coded = append(coded, quantized.NewQuery(query, v.stride))
		}
		return coded
	}
	rows, codes := quantized.Encode(queries, v.width)
	representatives.NewMerger(v.width, representatives.Default, v.kernel).Merge(codes, rows, func(mean []float32) {
		coded = append(coded, quantized.NewQuery(mean, v.stride))
	})
	return coded
}
