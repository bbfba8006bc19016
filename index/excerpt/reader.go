package excerpt

import (
	"context"
	"fmt"
	"io"
	"iter"

	"mekiki/embed"
	"mekiki/index"
)

// excerptReader is a reader that shows what terms allow, and nothing else. It embeds no other, so that a method that the contract
// gains has to be thought about here.
type excerptReader struct {
	reader index.Reader
	terms  Terms
	shown  *shown
}

var _ index.Reader = (*excerptReader)(nil)

func (r *excerptReader) Close() error               { return r.reader.Close() }
func (r *excerptReader) Sequence() uint64           { return r.shown.sequence }
func (r *excerptReader) Space() (embed.Space, bool) { return r.reader.Space() }

// Spaces, with what a library of this size would have in each, are not shown.
func (r *excerptReader) Spaces() []index.SpaceState { return nil }

func (r *excerptReader) Count(kind index.Kind) int {
	if kind == index.KindText {
		return 0
	}
	return len(r.shown.ids)
}

func (r *excerptReader) Records(ctx context.Context, ids []index.ID) ([]*index.Record, error) {
	records, err := r.reader.Records(ctx, ids)
	return r.records(records), err
}

// records are records as they are shown, nil for those that are not.
func (r *excerptReader) records(records []*index.Record) []*index.Record {
	seen := make([]*index.Record, len(records))
	for i, record := range records {
		if record != nil && r.shown.has(record.ID) {
			seen[i] = r.terms.record(record)
		}
	}
	return seen
}

// RecordsByPath knows no path: where pictures lie is not shown.
func (r *excerptReader) RecordsByPath(_ context.Context, paths []string) ([]*index.Record, error) {
	return make([]*index.Record, len(paths)), nil
}

func (r *excerptReader) RecordsByHash(ctx context.Context, hashes []index.Hash) ([]*index.Record, error) {
	records, err := r.reader.RecordsByHash(ctx, hashes)
	return r.records(records), err
}

func (r *excerptReader) Purged(_ context.Context, hashes []index.Hash) ([]bool, error) {
	return make([]bool, len(hashes)), nil
}

func (r *excerptReader) List(ctx context.Context, filter index.Filter, page index.Page) ([]*index.Record, int, error) {
	filter, some := r.shown.narrow(filter, r.terms)
	if !some {
		return nil, 0, nil
	}
	records, total, err := r.reader.List(ctx, filter, page)
	return r.records(records), total, err
}

func (r *excerptReader) Layout(ctx context.Context, filter index.Filter, order index.Order) (index.Layout, error) {
	filter, some := r.shown.narrow(filter, r.terms)
	if !some {
		return index.Layout{}, nil
	}
	return r.reader.Layout(ctx, filter, order)
}

func (r *excerptReader) All(ctx context.Context) iter.Seq2[*index.Record, error] {
	return func(yield func(*index.Record, error) bool) {
		for record, err := range r.reader.All(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			if r.shown.has(record.ID) && !yield(r.terms.record(record), nil) {
				return
			}
		}
	}
}

func (r *excerptReader) Facets(ctx context.Context, filter index.Filter) (index.Facets, error) {
	filter, some := r.shown.narrow(filter, r.terms)
	if !some {
		return index.Facets{}, nil
	}
	counts, err := r.reader.Facets(ctx, filter)
	return r.terms.facets(counts), err
}

func (r *excerptReader) Nearest(ctx context.Context, kind index.Kind, query []float32, k int, filter index.Filter) ([]index.Neighbour, error) {
	filter, some := r.shown.narrow(filter, r.terms)
	if !some {
		return nil, nil
	}
	return r.reader.Nearest(ctx, kind, query, k, filter)
}

// Spellings gives none: they are words of the whole library.
func (r *excerptReader) Spellings(_ context.Context, words []string) ([][]string, error) {
	return make([][]string, len(words)), nil
}

func (r *excerptReader) Parts(ctx context.Context, ids []index.ID) ([]embed.Parts, error) {
	return each(ids, r.shown, func(ids []index.ID) ([]embed.Parts, error) { return r.reader.Parts(ctx, ids) })
}

func (r *excerptReader) HaveParts(ctx context.Context, space embed.Space, ids []index.ID) ([]bool, error) {
	return each(ids, r.shown, func(ids []index.ID) ([]bool, error) { return r.reader.HaveParts(ctx, space, ids) })
}

func (r *excerptReader) Tokens(ctx context.Context, ids []index.ID) ([]embed.ImageTokens, error) {
	return each(ids, r.shown, func(ids []index.ID) ([]embed.ImageTokens, error) { return r.reader.Tokens(ctx, ids) })
}

// each asks about those of some records that are shown, and gives the answers in the order of all of them: the zero value for
// the others.
func each[T any](ids []index.ID, s *shown, ask func([]index.ID) ([]T, error)) ([]T, error) {
	some := s.of(ids)
	answers, err := ask(some)
	if err != nil {
		return nil, err
	}
	if len(answers) != len(some) {
		return nil, fmt.Errorf("got %d answers about %d records", len(answers), len(some))
	}
	all, next := make([]T, len(ids)), 0
	for i, id := range ids {
		if s.has(id) {
			all[i] = answers[next]
			next++
		}
	}
	return all, nil
}

func (r *excerptReader) SavedSearches(context.Context) ([]index.SavedSearch, error) { return nil, nil }

func (r *excerptReader) Failures(context.Context) ([]index.Failure, error) { return nil, nil }

func (r *excerptReader) FailuresOf(_ context.Context, paths []string) ([]*index.Failure, error) {
	return make([]*index.Failure, len(paths)), nil
}

func (r *excerptReader) Thumbnail(ctx context.Context, id index.ID) ([]byte, error) {
	if !r.shown.has(id) {
		return nil, fmt.Errorf("record %s: %w", id, index.ErrNotFound)
	}
	return r.reader.Thumbnail(ctx, id)
}

func (r *excerptReader) OpenOriginal(ctx context.Context, id index.ID) (io.ReadSeekCloser, error) {
	if !r.shown.has(id) {
		return nil, fmt.Errorf("record %s: %w", id, index.ErrNotFound)
	}
	return r.reader.OpenOriginal(ctx, id)
}
