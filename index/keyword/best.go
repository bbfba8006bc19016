package keyword

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"mekiki/index/keyword/lists"
)

// term is a word that is looked for in a field.
type term struct {
	lists.Term
	field weighted
	text  string
	count uint64 // of documents that have it
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
	inOrder := make([]*lists.Term, len(terms))
	for i, one := range terms {
		inOrder[i] = &one.Term
	}
	if leaveCommon(terms, uint64(best.limit)) {
		if err := lists.Offer(ctx, segments, allowed, inOrder, true, best); err != nil {
			return nil, err
		}
		rest := 0.0
		for _, one := range terms {
			if one.Common {
				rest += one.Scoring.Bound
			}
		}
		if rest < best.threshold() {
			return terms, nil
		}
		best.restart()
	}
	return terms, lists.Offer(ctx, segments, allowed, inOrder, false, best)
}

// termsIn finds the terms of words in all fields that any document has them in, in the order in which scores are added.
func termsIn(segments []lists.Segment, words string, documents uint64) ([]*term, error) {
	var found []*term
	for _, field := range wordFields() {
		texts := fieldTerms(field, words)
		terms := make([]*term, len(texts))
		for i, text := range texts {
			terms[i] = &term{Term: lists.Term{Lists: make([]*lists.List, len(segments))}, field: field, text: text}
		}
		for number := range segments {
			lists, living, err := segments[number].Lists(field.name, field.length, texts)
			if err != nil {
				return nil, err
			}
			for i, one := range terms {
				one.Lists[number] = lists[i]
				one.count += living[i]
			}
		}
		for _, one := range terms {
			if one.count > 0 {
				idf := math.Log(1 + (float64(documents)-float64(one.count)+0.5)/(float64(one.count)+0.5))
				one.Scoring = lists.Scoring{IDF: idf, Weight: field.weight, Bound: field.weight * boundOf(idf, field.length), Average: field.length}
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
			one.Common = true
			left += one.count
			continue
		}
		seen += one.count
	}
	if left > seen {
		return true
	}
	for _, one := range terms {
		one.Common = false
	}
	return false
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
			list := one.Lists[best[number].segment]
			if list == nil {
				continue
			}
			if i == 0 || at == nil || best[inOrder[i-1]].segment != best[number].segment {
				at = list.Places()
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

// IsOfValues reports whether the filter has no other conditions than values of fields and IDs: words are found fastest under such a
// filter, as they are without one.
func (f Filter) IsOfValues() bool {
	return len(f.FolderNames)+len(f.People)+len(f.Ratings)+len(f.Cameras) == 0 && f.Near == nil && f.After.IsZero() && f.Before.IsZero()
}

// allowedIn gives the documents of each segment that pass a filter, nil for all of all; false where the filter is not of values.
func allowedIn(segments []lists.Segment, f Filter) (allowed []*roaring.Bitmap, known bool, err error) {
	if !f.IsOfValues() {
		return nil, false, nil
	}
	if len(f.IDs) > 0 {
		allowed = make([]*roaring.Bitmap, len(segments))
		for number := range segments {
			if allowed[number], err = segments[number].Named(keys(f.IDs)); err != nil {
				return nil, false, err
			}
		}
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
