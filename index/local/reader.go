package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/content"
)

var (
	_ index.Library = (*Library)(nil)
	_ index.Reader  = (*Snapshot)(nil)
)

// Reader gives the current state, as [Library.Snapshot] does.
func (l *Library) Reader(ctx context.Context) (index.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	snapshot := l.Snapshot()
	if err := snapshot.Err(); err != nil {
		return nil, err
	}
	return snapshot, nil
}

// usable fails when the library was closed before the snapshot was taken, or the
// context has ended.
func (s *Snapshot) usable(ctx context.Context) error {
	if s.err != nil {
		return s.err
	}
	return ctx.Err()
}

// each asks about several things one by one.
func each[K, V any](ctx context.Context, s *Snapshot, asked []K, ask func(K) V) ([]V, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	found := make([]V, len(asked))
	for i, one := range asked {
		found[i] = ask(one)
	}
	return found, nil
}

// Records implements [index.Reader].
func (s *Snapshot) Records(ctx context.Context, ids []index.ID) ([]*index.Record, error) {
	return each(ctx, s, ids, func(id index.ID) *index.Record { record, _ := s.record(id); return record })
}

// RecordsByPath implements [index.Reader].
func (s *Snapshot) RecordsByPath(ctx context.Context, paths []string) ([]*index.Record, error) {
	return each(ctx, s, paths, func(path string) *index.Record { record, _ := s.recordByPath(path); return record })
}

// RecordsByHash implements [index.Reader].
func (s *Snapshot) RecordsByHash(ctx context.Context, hashes []index.Hash) ([]*index.Record, error) {
	return each(ctx, s, hashes, func(hash index.Hash) *index.Record { record, _ := s.recordByHash(hash); return record })
}

// Purged implements [index.Reader].
func (s *Snapshot) Purged(ctx context.Context, hashes []index.Hash) ([]bool, error) {
	return each(ctx, s, hashes, func(hash index.Hash) bool { return s.view.state.Kept[hash].Purged })
}

// HaveParts implements [index.Reader].
func (s *Snapshot) HaveParts(ctx context.Context, space embed.Space, ids []index.ID) ([]bool, error) {
	return each(ctx, s, ids, func(id index.ID) bool { return s.hasParts(id, space) })
}

// FailuresOf implements [index.Reader].
func (s *Snapshot) FailuresOf(ctx context.Context, paths []string) ([]*index.Failure, error) {
	return each(ctx, s, paths, func(path string) *index.Failure {
		if failure, there := s.failure(path); there {
			return &failure
		}
		return nil
	})
}

// Failures implements [index.Reader].
func (s *Snapshot) Failures(ctx context.Context) ([]index.Failure, error) {
	if err := s.usable(ctx); err != nil {
		return nil, fmt.Errorf("list failures: %w", err)
	}
	return s.failures(), nil
}

// All implements [index.Reader].
func (s *Snapshot) All(ctx context.Context) iter.Seq2[*index.Record, error] {
	return func(yield func(*index.Record, error) bool) {
		for record := range s.all() {
			if ctx.Err() != nil {
				break
			}
			if !yield(record, nil) {
				return
			}
		}
		if err := s.usable(ctx); err != nil {
			yield(nil, fmt.Errorf("list records: %w", err))
		}
	}
}

// Parts implements [index.Reader].
func (s *Snapshot) Parts(ctx context.Context, ids []index.ID) ([]embed.Parts, error) {
	return readable(ctx, s, ids, s.parts)
}

// Tokens implements [index.Reader].
func (s *Snapshot) Tokens(ctx context.Context, ids []index.ID) ([]embed.ImageTokens, error) {
	return readable(ctx, s, ids, s.tokens)
}

// readable reads what each of several records has, and nothing of those whose data is
// missing or damaged.
func readable[V any](ctx context.Context, s *Snapshot, ids []index.ID, read func(context.Context, index.ID) (V, error)) ([]V, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	found := make([]V, len(ids))
	for i, id := range ids {
		one, err := read(ctx, id)
		switch {
		case err == nil:
			found[i] = one
		case errors.Is(err, index.ErrDamaged), errors.Is(err, index.ErrSpace):
			s.logger.Warn("what a record has is damaged", "record", id, "what", err, "try", "mekiki check --repair")
		case !errors.Is(err, index.ErrNotFound):
			return nil, err
		}
	}
	return found, nil
}

// OpenOriginal opens the first of the record's files that is there and holds the
// record's content, as [content.OpenFile] makes sure.
func (s *Snapshot) OpenOriginal(ctx context.Context, id index.ID) (io.ReadSeekCloser, error) {
	if err := s.usable(ctx); err != nil {
		return nil, fmt.Errorf("original of record %d: %w", id, err)
	}
	record, there := s.record(id)
	if !there {
		return nil, fmt.Errorf("original of record %d: %w", id, index.ErrNotFound)
	}
	return content.Open(record)
}
