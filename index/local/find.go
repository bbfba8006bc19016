package local

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/keyword"
	"mekiki/index/local/keywords"
	"mekiki/index/local/nearest"
	"mekiki/internal/bitset"
)

// Nearest finds the k records of a kind nearest to any of the query's vectors: one or
// more unit rows of the serving space's width, one after the other. Equal scores are in
// order of ID.
func (s *Snapshot) Nearest(ctx context.Context, kind index.Kind, query []float32, k int, filter index.Filter) ([]index.Neighbour, error) {
	if err := s.usable(ctx); err != nil {
		return nil, fmt.Errorf("nearest %ss: %w", kind, err)
	}
	if k <= 0 {
		return nil, nil
	}
	for _, value := range query {
		if math.IsNaN(float64(value)) || math.IsInf(float64(value), 0) {
			return nil, fmt.Errorf("nearest %ss: the query has a value that is no number", kind)
		}
	}
	if slices.Equal(filter.Kinds, []index.Kind{kind}) {
		filter.Kinds = nil // the index of a kind has no other
	}
	var allow bitset.Set
	if m := s.view.columns.Compile(filter); m != nil {
		allowed, err := s.view.columns.Select(ctx, filter, m)
		if err != nil {
			return nil, fmt.Errorf("nearest %ss: %w", kind, err)
		}
		allow = allowed
	}
	for {
		found, err := s.nearestOnce(ctx, kind, query, k, allow)
		var bad *nearest.RecordError
		if errors.As(err, &bad) && errors.Is(err, index.ErrDamaged) {
			// The rest is found without it.
			if err = s.view.nearest.Store.Evict(ctx, s.view.nearest, bad.ID, bad.Err); err == nil {
				continue
			}
		}
		if err != nil {
			return nil, fmt.Errorf("nearest %ss: %w", kind, err)
		}
		return found, nil
	}
}

func (s *Snapshot) nearestOnce(ctx context.Context, kind index.Kind, query []float32, k int, allow bitset.Set) ([]index.Neighbour, error) {
	views, err := s.view.nearest.Indexes(ctx)
	if err != nil {
		return nil, err
	}
	view := views.Of(kind)
	if view == nil || view.Len() == 0 {
		return nil, ctx.Err()
	}
	found, err := view.Search(ctx, query, k, allow)
	if view.Damaged() {
		s.view.nearest.Store.Renew(kind)
	}
	return found, err
}

// Keyword finds the k records that match the words best, as they are in the
// snapshot; equal scores are in order of ID.
//
// Should the keyword index have failed to follow a commit, which the log of the
// program says, records that have changed since it did last are not found by words,
// until it has caught up with the next commit. No other record is missed.
func (s *Snapshot) Keyword(ctx context.Context, query index.KeywordQuery, k int, filter index.Filter) ([]index.KeywordHit, error) {
	if err := s.usable(ctx); err != nil {
		return nil, fmt.Errorf("find words: %w", err)
	}
	filter = withKind(filter, query.Kind)
	m := s.view.columns.Compile(filter)
	asked := keywordQuery(query, m, k)
	if query.Kind != 0 && s.Count(query.Kind) == s.Count(0) {
		asked.Filter.Kinds = nil // all are of that kind: asking about each would be for nothing
	}
	if words := len(query.Phrases)+len(query.Exclude) == 0; m.BeyondWords() || words && !asked.Filter.IsOfValues() {
		allowed, err := s.view.columns.Select(ctx, filter, m)
		if err != nil {
			return nil, fmt.Errorf("find words: %w", err)
		}
		if asked.Allow = allowed.Has; words { // the set says it all, and what the keyword index would ask of each document takes longer
			asked.Filter = keyword.Filter{}
		}
	}
	precisely := func(id uint64) bool {
		record, there := s.record(index.ID(id))
		return there && record.Sequence <= s.view.keywordReader.Sequence && m.Matches(record)
	}
	if s.view.keywordReader.Sequence != s.Sequence() {
		asked.Allow = precisely
	}
	hits, refused, err := s.keywordHits(ctx, query, asked, precisely)
	if err == nil && refused {
		// The index knows places and times a little less exactly than the records.
		asked.Allow = precisely
		hits, _, err = s.keywordHits(ctx, query, asked, precisely)
	}
	if err != nil {
		return nil, fmt.Errorf("find words: %w", err)
	}
	return hits, nil
}

// Spellings gives the words of records that each of some words may have been meant as; see [index.Reader].
func (s *Snapshot) Spellings(ctx context.Context, words []string) ([][]string, error) {
	spellings := make([][]string, len(words))
	if err := s.usable(ctx); err != nil {
		return nil, fmt.Errorf("look for spellings: %w", err)
	}
	for i, word := range words {
		found, err := s.view.keywordReader.Spellings(ctx, word)
		if errors.Is(err, keyword.ErrUnusable) {
			err = index.ErrClosed
		}
		if err != nil {
			return nil, err
		}
		for _, one := range found {
			if meant := one.Meant(word, s.document); meant != "" {
				spellings[i] = append(spellings[i], meant)
			}
		}
	}
	return spellings, nil
}

// document is a record as the keyword index has it; nil where it has gone.
func (s *Snapshot) document(id uint64) *keyword.Document {
	record, there := s.record(index.ID(id))
	if !there {
		return nil
	}
	document := keywords.DocumentOf(record)
	return &document
}

// keywordHits asks the keyword index, and reports whether it gave something that does not
// pass in place of what might.
func (s *Snapshot) keywordHits(ctx context.Context, query index.KeywordQuery, asked keyword.Query, passes func(uint64) bool) (hits []index.KeywordHit, refused bool, err error) {
	found, err := s.view.keywordReader.Search(ctx, asked)
	if errors.Is(err, keyword.ErrUnusable) {
		err = index.ErrClosed // words of before go with the library
	}
	if err != nil {
		return nil, false, err
	}
	for _, hit := range found {
		if !passes(hit.ID) {
			refused = len(found) == asked.Limit
			continue
		}
		record, _ := s.record(index.ID(hit.ID))
		found := index.KeywordHit{ID: record.ID, Score: hit.Score}
		if !query.ScoresOnly {
			document := keywords.DocumentOf(record)
			found.Fragments, found.Terms = document.Fragments(hit.Matches), keyword.MatchedTerms(hit.Matches)
		}
		hits = append(hits, found)
	}
	return hits, refused, nil
}

func withKind(filter index.Filter, kind index.Kind) index.Filter {
	if kind != 0 {
		if len(filter.Kinds) > 0 && !slices.Contains(filter.Kinds, kind) {
			filter.IDs = []index.ID{0} // no record
		}
		filter.Kinds = []index.Kind{kind}
	}
	return filter
}

func keywordQuery(query index.KeywordQuery, m *filters.Matcher, limit int) keyword.Query {
	return keyword.Query{
		Words: query.Text, Phrases: query.Phrases, Exclude: query.Exclude,
		Filter: m.KeywordFilter(), Limit: limit, Matches: !query.ScoresOnly,
	}
}
