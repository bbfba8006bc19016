package conformance

import (
	"context"
	"errors"
	"io"
	"sync"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
)

// calls are the questions that can fail.
func calls(r index.Reader) map[string]func(context.Context) error {
	ids, query := []index.ID{1}, indextest.Unit(1, 1, indextest.Small.Width).Values
	return map[string]func(context.Context) error{
		"Records":       func(ctx context.Context) error { return empty(r.Records(ctx, nil)) },
		"RecordsByPath": func(ctx context.Context) error { return empty(r.RecordsByPath(ctx, nil)) },
		"RecordsByHash": func(ctx context.Context) error { return empty(r.RecordsByHash(ctx, nil)) },
		"Parts":         func(ctx context.Context) error { return empty(r.Parts(ctx, nil)) },
		"HaveParts":     func(ctx context.Context) error { return empty(r.HaveParts(ctx, indextest.Small, nil)) },
		"Tokens":        func(ctx context.Context) error { return empty(r.Tokens(ctx, nil)) },
		"SavedSearches": func(ctx context.Context) error { return empty(r.SavedSearches(ctx)) },
		"Failures":      func(ctx context.Context) error { return empty(r.Failures(ctx)) },
		"FailuresOf":    func(ctx context.Context) error { return empty(r.FailuresOf(ctx, nil)) },
		"List":          func(ctx context.Context) error { _, _, err := r.List(ctx, index.Filter{}, index.Page{}); return err },
		"Layout":        func(ctx context.Context) error { _, err := r.Layout(ctx, index.Filter{}, 0); return err },
		"Facets":        func(ctx context.Context) error { _, err := r.Facets(ctx, index.Filter{}); return err },
		"All": func(ctx context.Context) (err error) {
			for _, problem := range r.All(ctx) {
				err = errors.Join(err, problem)
			}
			return err
		},
		"Nearest": func(ctx context.Context) error {
			return empty(r.Nearest(ctx, index.KindImage, query, 0, index.Filter{}))
		},
		"Keyword": func(ctx context.Context) error {
			return empty(r.Keyword(ctx, index.KeywordQuery{Text: "nothing"}, 5, index.Filter{IDs: ids}))
		},
		"Spellings":    func(ctx context.Context) error { return empty(r.Spellings(ctx, nil)) },
		"Thumbnail":    func(ctx context.Context) error { _, err := r.Thumbnail(ctx, 999); return err },
		"OpenOriginal": func(ctx context.Context) error { _, err := r.OpenOriginal(ctx, 999); return err },
	}
}

func empty[T any](found []T, err error) error {
	if err == nil && len(found) > 0 {
		return errors.New("an answer to no question")
	}
	return err
}

func changes(library index.Library) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Reader": func(ctx context.Context) error { _, err := library.Reader(ctx); return err },
		"Write":  func(ctx context.Context) error { return index.Remove(ctx, library, 1) },
		"AddSpace": func(ctx context.Context) error {
			return library.AddSpace(ctx, embed.Space{Fingerprint: "new", Parts: 1, Width: 2})
		},
		"ServeSpace":    func(ctx context.Context) error { return library.ServeSpace(ctx, other) },
		"RollbackSpace": library.RollbackSpace,
		"DropSpace":     func(ctx context.Context) error { return library.DropSpace(ctx, other) },
	}
}

func testEndedContext(p *pair) {
	t := p.t
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, empty := range []bool{true, false} {
		if !empty {
			p.fill(1)
			p.addSpace(other)
		}
		r := p.read()
		for _, asked := range []map[string]func(context.Context) error{calls(r), changes(p.library)} {
			for name, ask := range asked {
				if err := ask(ended); !errors.Is(err, context.Canceled) {
					t.Errorf("%s when the context has ended, empty library: %v: %v", name, empty, err)
				}
			}
		}
		if after := p.read(); after.Sequence() != r.Sequence() {
			t.Error("a change was made when the context had ended")
		}
	}
}

func testClosed(p *pair) {
	t := p.t
	p.fill(1)
	p.addSpace(other)
	closer, can := p.library.(io.Closer)
	if !can {
		t.Skip("it cannot be closed")
	}
	r := p.read()
	indextest.Must(t, closer.Close())
	indextest.Must(t, closer.Close())
	for name, change := range changes(p.library) {
		if err := change(t.Context()); !errors.Is(err, index.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, ask := range calls(r) {
		if err := ask(t.Context()); err != nil && !errors.Is(err, index.ErrClosed) && !errors.Is(err, index.ErrNotFound) {
			t.Errorf("%s of a reader of before: %v", name, err)
		}
	}
}

// testAtOnce: four writers put pairs of images, which four readers see whole, unless they
// show the present.
func testAtOnce(p *pair) {
	t := p.t
	p.fill(0)
	var group sync.WaitGroup
	const batches = 8
	reading := func(look func(index.Reader)) {
		reader, err := p.library.Reader(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		look(reader)
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}
	for worker := range uint64(4) {
		group.Go(func() {
			for i := range uint64(batches) {
				number := 1000*(worker+1) + 2*i
				batch := index.Batch{Puts: []index.Put{p.image(number), p.image(number + 1)}}
				result, err := p.library.Write(t.Context(), batch)
				if err != nil {
					t.Error(err)
					return
				}
				reading(func(r index.Reader) {
					found, err := r.Records(t.Context(), result.IDs)
					if err != nil || found[0] == nil || found[1] == nil || r.Sequence() < result.Sequence {
						t.Errorf("commit %d does not show what commit %d wrote: %v", r.Sequence(), result.Sequence, err)
					}
				})
			}
		})
		group.Go(func() {
			var last uint64
			for range 2 * batches {
				reading(func(r index.Reader) {
					listed, total, err := r.List(t.Context(), index.Filter{}, index.Page{})
					nearest, nearestErr := r.Nearest(t.Context(), index.KindImage, indextest.Unit(worker, 1, 8).Values, 1000, index.Filter{})
					hits, wordErr := r.Keyword(t.Context(), index.KeywordQuery{Text: "beside", ScoresOnly: true}, 1000, index.Filter{})
					present := p.differences.Present
					if err := errors.Join(err, nearestErr, wordErr); err != nil || total%2 != 1 && !present || r.Sequence() < last {
						t.Errorf("commit %d after %d has %d records: %v", r.Sequence(), last, total, err)
					}
					if count := r.Count(0); !present && (len(listed) != count || len(nearest) != count || len(hits) != count) {
						t.Errorf("of %d records %d are listed, %d near, %d found by words", count, len(listed), len(nearest), len(hits))
					}
					last = r.Sequence()
				})
			}
		})
	}
	group.Wait()
	if count := p.read().Count(0); count != 1+4*2*batches {
		t.Errorf("%d records", count)
	}
}
