package keyword

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/scorer"

	"mekiki/index/keyword/lists"
)

// term is a word that is looked for in a field.
type term struct {
	field  weighted
	text   string
	lists  []*lists.List // by segment; nil where it has none
	count  uint64        // of documents that have it
	idf    float64
	bound  float64 // no document has more for it, the weight counted
	common bool    // it is left for the second pass
}

// bestOfWords offers the collector the documents that are best for some words, and passes by most of those that cannot be.
// It gives nil for terms where the filter has conditions that only bleve's searchers know.
//
// It does what [sumSearcher] does, with the same scores to the bit, and goes to the lists themselves: a document is a number
// and its score a number until it is among the best. The documents of the rarest words come first; where as many of these
// as are wanted are better than any document that has frequent words alone, those of the frequent words are not gone through.
func (r *Reader) bestOfWords(ctx context.Context, q Query, documents uint64, best *collector) ([]*term, error) {
	segments := r.segments()
	if segments == nil {
		return nil, nil
	}
	allowed, known, err := allowedIn(segments, q.Filter)
	if err != nil || !known {
		return nil, err
	}
	terms, err := termsIn(segments, q.Words, documents)
	if err != nil {
		return nil, err
	}
	if leaveCommon(terms, uint64(best.limit)) {
		if err := bestIn(ctx, segments, allowed, terms, best, true); err != nil {
			return nil, err
		}
		rest := 0.0
		for _, one := range terms {
			if one.common {
				rest += one.bound
			}
		}
		if rest < best.threshold() {
			return terms, nil
		}
		best.restart()
	}
	return terms, bestIn(ctx, segments, allowed, terms, best, false)
}

// termsIn finds the terms of words in all fields that any document has them in, in the order in which scores are added.
func termsIn(segments []lists.Segment, words string, documents uint64) ([]*term, error) {
	var found []*term
	for _, field := range wordFields() {
		texts := fieldTerms(field, words)
		terms := make([]*term, len(texts))
		for i, text := range texts {
			terms[i] = &term{field: field, text: text, lists: make([]*lists.List, len(segments))}
		}
		for number := range segments {
			lists, living, err := segments[number].Lists(field.name, texts)
			if err != nil {
				return nil, err
			}
			for i, one := range terms {
				one.lists[number] = lists[i]
				one.count += living[i]
			}
		}
		for _, one := range terms {
			if one.count > 0 {
				one.idf = math.Log(1 + (float64(documents)-float64(one.count)+0.5)/(float64(one.count)+0.5))
				one.bound = field.weight * boundOf(one.idf, field.length)
				found = append(found, one)
			}
		}
	}
	return found, nil
}

// leaveCommon marks those terms that are left for later, and reports whether it did: rare ones stay,
// as many as have a few times the wanted number of documents.
func leaveCommon(terms []*term, wanted uint64) bool {
	rarest := slices.Clone(terms)
	slices.SortStableFunc(rarest, func(a, b *term) int { return cmp.Compare(a.count, b.count) })
	seen, left, leaving := uint64(0), uint64(0), false
	for _, one := range rarest {
		if leaving = leaving || seen >= wanted; leaving {
			one.common = true
			left += one.count
			continue
		}
		seen += one.count
	}
	if left > seen {
		return true
	}
	for _, one := range terms {
		one.common = false
	}
	return false
}

// bestIn offers the documents of all segments, or only those that have a term that is not common.
func bestIn(ctx context.Context, segments []lists.Segment, allowed []*roaring.Bitmap, terms []*term, best *collector, rare bool) error {
	for number := range segments {
		s := &scan{segment: &segments[number], number: number, best: best}
		if allowed != nil {
			s.allowed = allowed[number]
		}
		for _, one := range terms {
			if list := one.lists[number]; list != nil {
				s.inOrder = append(s.inOrder, &cursor{Cursor: list.Cursor(false), term: one})
			}
		}
		if err := s.run(ctx, rare); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// scan goes through a segment. It is MaxScore, as [sumSearcher] explains.
type scan struct {
	segment *lists.Segment
	number  int             // of the segment
	allowed *roaring.Bitmap // nil: all are
	best    *collector
	inOrder []*cursor
	// byBound are the cursors with those of common terms first if they are left, then by bound; bounds[i] is the sum of the
	// first i bounds.
	byBound []*cursor
	bounds  []float64
}

func (s *scan) run(ctx context.Context, rare bool) error {
	s.byBound = slices.Clone(s.inOrder)
	slices.SortStableFunc(s.byBound, func(a, b *cursor) int {
		if rare && a.term.common != b.term.common {
			if a.term.common {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.term.bound, b.term.bound)
	})
	s.bounds = make([]float64, len(s.byBound)+1)
	passed := 0 // cursors that no document is found by alone
	for i, c := range s.byBound {
		s.bounds[i+1] = s.bounds[i] + c.term.bound
		if rare && c.term.common {
			passed = i + 1
		} else if err := c.Next(); err != nil {
			return err
		}
	}
	for number := 1; ; number++ {
		for passed < len(s.byBound) && s.bounds[passed+1] < s.best.threshold() {
			passed++
		}
		document := uint64(lists.End)
		for _, c := range s.byBound[passed:] {
			document = min(document, c.Document)
		}
		if document == lists.End {
			return nil
		}
		if err := s.offer(document, passed); err != nil {
			return err
		}
		for _, c := range s.byBound[passed:] {
			if c.Document == document {
				if err := c.Next(); err != nil {
					return err
				}
			}
		}
		if number%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// offer gives the collector a document if it passes and may be among the best.
func (s *scan) offer(document uint64, passed int) error {
	if s.segment.Deleted(document) || s.allowed != nil && !s.allowed.Contains(uint32(document)) {
		return nil
	}
	score := 0.0
	for _, c := range s.byBound[passed:] {
		if c.Document == document {
			score += c.score()
		}
	}
	const rounding = 1 + 1e-9 // scores are added in another order in the end
	for i := passed; i > 0; i-- {
		if (score+s.bounds[i])*rounding < s.best.threshold() {
			return nil
		}
		c := s.byBound[i-1]
		if err := c.Advance(document); err != nil {
			return err
		}
		if c.Document == document {
			score += c.score()
		}
	}
	score = 0
	for _, c := range s.inOrder {
		if c.Document == document {
			score += c.score()
		}
	}
	if score < s.best.threshold() {
		return nil
	}
	id, err := s.segment.ID(document)
	if err != nil {
		return err
	}
	s.best.keep(kept{Hit{ID: id, Score: score}, s.number, document})
	return nil
}

// cursor is at a document of a term's list.
type cursor struct {
	*lists.Cursor
	term *term
	// scores are those of the last documents that differed in frequency or norm.
	scores [rememberedScores]struct {
		frequency   uint64
		norm, score float64
	}
}

// score is BM25 as bleve computes it, to the bit, with the weight of the field.
func (c *cursor) score() float64 {
	frequency, norm := c.Frequency(), c.Norm()
	known := &c.scores[(frequency+math.Float64bits(norm)>>normBits)%rememberedScores]
	if known.frequency == frequency && known.norm == norm {
		return known.score
	}
	tf := math.Sqrt(float64(frequency))
	if frequency < scorer.MaxSqrtCache {
		tf = scorer.SqrtCache[frequency]
	}
	length := 1 / (norm * norm)
	score := c.term.idf * (tf * search.BM25_k1) /
		(tf + search.BM25_k1*(1-search.BM25_b+(search.BM25_b*length/float64(c.term.field.length))))
	known.frequency, known.norm, known.score = frequency, norm, c.term.field.weight*score
	return known.score
}

// findPlaces says where the terms are in the hits that were kept, the best first.
func findPlaces(terms []*term, best []kept, hits []Hit) error {
	inOrder := make([]int, len(best))
	for i := range inOrder {
		inOrder[i] = i
	}
	slices.SortFunc(inOrder, func(a, b int) int {
		return cmp.Or(cmp.Compare(best[a].segment, best[b].segment), cmp.Compare(best[a].document, best[b].document))
	})
	for _, one := range terms {
		var at *lists.Cursor
		for i, number := range inOrder {
			list := one.lists[best[number].segment]
			if list == nil {
				continue
			}
			if i == 0 || at == nil || best[inOrder[i-1]].segment != best[number].segment {
				at = list.Cursor(true)
			}
			if err := at.Advance(best[number].document); err != nil {
				return err
			}
			if at.Document != best[number].document {
				continue
			}
			for _, place := range at.Locations() {
				match := Match{Field: one.field.name, Start: int(place.Start()), End: int(place.End()), Term: one.text}
				if positions := place.ArrayPositions(); len(positions) > 0 {
					match.Value = int(positions[0])
				}
				hits[number].Matches = append(hits[number].Matches, match)
			}
		}
	}
	for i := range hits {
		slices.SortFunc(hits[i].Matches, compareMatches)
		hits[i].Matches = slices.Compact(hits[i].Matches)
	}
	return nil
}

// allowedIn gives the documents of each segment that pass a filter, nil for all of all; false where the filter has other
// conditions than values of fields.
func allowedIn(segments []lists.Segment, f Filter) (allowed []*roaring.Bitmap, known bool, err error) {
	if len(f.FolderNames)+len(f.People)+len(f.Ratings)+len(f.Cameras)+len(f.IDs) > 0 || f.Near != nil || !f.After.IsZero() || !f.Before.IsZero() {
		return nil, false, nil
	}
	var taken []string
	if f.Taken != nil {
		taken = []string{takenTerm(*f.Taken)}
	}
	for _, condition := range []struct {
		field  string
		values []string
	}{
		{filterKind, f.Kinds}, {filterFolder, f.Folders}, {filterTag, FoldAll(f.Tags)}, {filterFormat, FoldAll(f.Formats)}, {filterTaken, taken},
	} {
		if len(condition.values) == 0 {
			continue
		}
		if allowed == nil {
			allowed = make([]*roaring.Bitmap, len(segments))
		}
		for number := range segments {
			having, err := segments[number].Having(condition.field, condition.values)
			if err != nil {
				return nil, false, err
			}
			if allowed[number] != nil {
				having.And(allowed[number])
			}
			allowed[number] = having
		}
	}
	return allowed, true, nil
}
