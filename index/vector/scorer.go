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
	return s.considerKnown(at, proposed, likely{})
}

// considerKnown is consider of an entry whose score is known to be likely within bounds, or not known yet.
func (s *scorer) considerKnown(at location, proposed float64, bounds likely) (goOn bool) {
	if !s.passes(at) {
		return true
	}
	if s.isHopeless(proposed) {
		s.hopeless++
		return s.hopeless < s.patience
	}
	s.hopeless = 0
	if s.isDone(at) {
		return true
	}
	number, chunk := s.view.content.number(at), s.view.content.chunk(at.chunk)
	s.done[number>>6] |= 1 << (number & 63)
	if !bounds.known {
		if bounds, s.failed = s.likelyBounds(chunk, int(at.slot)); s.failed != nil {
			return false
		}
	}
	// Bounds that are very likely instead of certain propose few that have to be scored exactly.
	if bounds.upper >= s.threshold() {
		s.proposals = append(s.proposals, proposal{chunk, int(at.slot), bounds.upper})
		s.lowerBounds.Offer(bounds.lower, struct{}{})
	}
	gap := (bounds.lower+bounds.upper)/2 - proposed
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

// likelyBounds gives bounds of an entry's score, from its codes, between which it is very likely.
func (s *search) likelyBounds(c *chunk, slot int) (likely, error) {
	rows, codes, err := s.reader.entry(c, slot)
	if err != nil {
		return likely{}, err
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
	return likely{lower, upper, true}, nil
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
