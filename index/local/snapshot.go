package local

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/facets"
	"mekiki/index/local/block"
	"mekiki/index/local/catalog"
	"mekiki/index/local/nearest"
	"mekiki/index/local/segment"
)

// Snapshot is the library as it was at one commit. It never changes, its
// methods may be called from any goroutine, and none of them waits for a
// writer. Close it when done.
type Snapshot struct {
	view   *view
	logger *slog.Logger
	err    error
	closed atomic.Bool
}

// Snapshot gives the current state. Close it when done. After the library is
// closed, every method of the snapshot that can fail gives [index.ErrClosed], as does
// [Snapshot.Err]; the others find nothing.
func (l *Library) Snapshot() *Snapshot {
	view, err := l.current()
	if err != nil {
		return &Snapshot{view: emptyView(), logger: l.logger, err: err}
	}
	if err := view.keywordReader.Renew(); err != nil {
		l.logger.Debug("read the keyword index again", "error", err)
	}
	return &Snapshot{view: view, logger: l.logger}
}

// Err is [index.ErrClosed] when the library was closed before the snapshot was taken.
// Those who would act on what a snapshot does not have ask it first.
func (s *Snapshot) Err() error { return s.err }

// Close lets go of the files that the snapshot holds open. Closing twice does
// nothing.
func (s *Snapshot) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.view.release()
}

// Sequence is the number of the commit that the snapshot shows.
func (s *Snapshot) Sequence() uint64 { return s.view.state.Sequence }

// Space is the serving space; false while the library has none.
func (s *Snapshot) Space() (embed.Space, bool) {
	if serving := s.view.state.Serving(); serving != nil {
		return serving.Space, true
	}
	return embed.Space{}, false
}

// Spaces lists all spaces.
func (s *Snapshot) Spaces() []index.SpaceState {
	var states []index.SpaceState
	for _, space := range s.view.state.Spaces {
		states = append(states, index.SpaceState{
			Space: space.Space, Number: int(space.Number), Added: space.Added,
			Serving: space.Rank == catalog.Serving, Previous: space.Rank == catalog.Previous,
			Records: space.Locations.Count, Total: s.view.state.Records.Count,
		})
	}
	return states
}

// Count gives the number of records of a kind; zero counts all.
func (s *Snapshot) Count(kind index.Kind) int {
	if int(kind) < len(s.view.state.Counts) && kind != 0 {
		return s.view.state.Counts[kind]
	}
	return s.view.state.Records.Count
}

// record gives one record; false when there is none.
func (s *Snapshot) record(id index.ID) (*index.Record, bool) { return s.view.state.Record(id) }

// recordByPath gives the record that a file holds. The path must be absolute
// and clean.
func (s *Snapshot) recordByPath(path string) (*index.Record, bool) {
	return s.find(s.view.lookup.Paths.At(path, s.Sequence()), func(r *index.Record) bool {
		return slices.ContainsFunc(r.Files, func(f index.File) bool { return f.Path == path })
	})
}

// recordByHash gives the record with this content.
func (s *Snapshot) recordByHash(hash index.Hash) (*index.Record, bool) {
	return s.find(s.view.lookup.Hashes.At(hash, s.Sequence()), func(r *index.Record) bool { return r.Hash == hash })
}

// find gives the record of a lookup, if it is what was looked for.
func (s *Snapshot) find(id index.ID, is func(*index.Record) bool) (*index.Record, bool) {
	if record, there := s.record(id); there && is(record) {
		return record, true
	}
	return nil, false
}

// List lists records that pass the filter, and how many there are in all.
func (s *Snapshot) List(ctx context.Context, filter index.Filter, page index.Page) ([]*index.Record, int, error) {
	if err := s.usable(ctx); err != nil {
		return nil, 0, fmt.Errorf("list records: %w", err)
	}
	records, total, err := s.view.columns.List(ctx, filter, page)
	if err != nil {
		return nil, 0, fmt.Errorf("list records: %w", err)
	}
	return records, total, nil
}

// Layout gives the images that pass the filter, as columns.
func (s *Snapshot) Layout(ctx context.Context, filter index.Filter, order index.Order) (index.Layout, error) {
	if err := s.usable(ctx); err != nil {
		return index.Layout{}, fmt.Errorf("lay out images: %w", err)
	}
	layout, err := s.view.columns.Layout(ctx, filter, order)
	if err != nil {
		return index.Layout{}, fmt.Errorf("lay out images: %w", err)
	}
	return layout, nil
}

// Facets counts the records that pass the filter by value.
func (s *Snapshot) Facets(ctx context.Context, filter index.Filter) (index.Facets, error) {
	if err := s.usable(ctx); err != nil {
		return index.Facets{}, fmt.Errorf("count facets: %w", err)
	}
	facets, err := s.view.columns.Facets(ctx, filter)
	if err != nil {
		return index.Facets{}, fmt.Errorf("count facets: %w", err)
	}
	return facets, nil
}

// FacetGroups implements [facets.Grouper].
func (s *Snapshot) FacetGroups(ctx context.Context, filter index.Filter) (facets.Groups, error) {
	if err := s.usable(ctx); err != nil {
		return facets.Groups{}, fmt.Errorf("group records: %w", err)
	}
	groups, err := s.view.columns.FacetGroups(ctx, filter)
	if err != nil {
		return facets.Groups{}, fmt.Errorf("group records: %w", err)
	}
	return groups, nil
}

// all goes through every record in order of ID.
func (s *Snapshot) all() iter.Seq[*index.Record] {
	return func(yield func(*index.Record) bool) {
		for _, record := range s.view.state.Records.All() {
			if !yield(record) {
				return
			}
		}
	}
}

// failures lists the files that could not be indexed, by path.
func (s *Snapshot) failures() []index.Failure {
	failures := make([]index.Failure, 0, len(s.view.state.Failures))
	for _, failure := range s.view.state.Failures {
		failures = append(failures, failure)
	}
	slices.SortFunc(failures, func(a, b index.Failure) int { return strings.Compare(a.File.Path, b.File.Path) })
	return failures
}

// failure gives what is known of one path that failed.
func (s *Snapshot) failure(path string) (index.Failure, bool) {
	failure, there := s.view.state.Failures[path]
	return failure, there
}

// parts gives the record's vectors in the serving space. The error is
// [index.ErrNotFound] when it has none.
func (s *Snapshot) parts(ctx context.Context, id index.ID) (embed.Parts, error) {
	space, record, where, err := s.locate(ctx, id)
	if err == nil && where.Vectors.Length == 0 {
		err = index.ErrNotFound
	}
	if err != nil {
		return embed.Parts{}, fmt.Errorf("vectors of record %d: %w", id, err)
	}
	parts, err := nearest.ReadVectors(s.view.segments, space, record, where)
	if err != nil {
		return embed.Parts{}, fmt.Errorf("vectors of record %d: %w", id, err)
	}
	return parts, nil
}

func (s *Snapshot) locate(ctx context.Context, id index.ID) (*catalog.Space, *index.Record, catalog.Location, error) {
	if err := s.usable(ctx); err != nil {
		return nil, nil, catalog.Location{}, err
	}
	serving := s.view.state.Serving()
	record, there := s.record(id)
	if serving == nil || !there {
		return nil, nil, catalog.Location{}, index.ErrNotFound
	}
	where, there := serving.Locations.Get(id)
	if !there {
		return nil, nil, catalog.Location{}, index.ErrNotFound
	}
	return serving, record, where, nil
}

// hasParts reports whether the record has vectors in a space of the library.
func (s *Snapshot) hasParts(id index.ID, space embed.Space) bool {
	found := s.view.state.SpaceOf(space)
	if found == nil {
		return false
	}
	where, there := found.Locations.Get(id)
	return there && where.Vectors.Length > 0
}

// tokens gives the record's image tokens in the serving space, unpacked.
// The error is [index.ErrNotFound] when they are not kept; then embed the original.
func (s *Snapshot) tokens(ctx context.Context, id index.ID) (embed.ImageTokens, error) {
	space, _, where, err := s.locate(ctx, id)
	if err == nil && where.Tokens.Length == 0 {
		err = index.ErrNotFound
	}
	if err != nil {
		return embed.ImageTokens{}, fmt.Errorf("image tokens of record %d: %w", id, err)
	}
	payload, err := s.view.segments.Read(segment.Key{Space: space.Number, Kind: block.Tokens, Number: where.Tokens.Segment}, id, where.Tokens)
	if err != nil {
		return embed.ImageTokens{}, fmt.Errorf("image tokens of record %d: %w", id, err)
	}
	tokens, err := embed.Unpack(payload)
	if err != nil {
		return embed.ImageTokens{}, fmt.Errorf("image tokens of record %d: %w: %w", id, index.ErrDamaged, err)
	}
	return tokens, nil
}

// Thumbnail gives a JPEG of the image, its longest side [index.ThumbnailSide] pixels
// at most. One that is missing or damaged is made again from the original.
func (s *Snapshot) Thumbnail(ctx context.Context, id index.ID) ([]byte, error) {
	if err := s.usable(ctx); err != nil {
		return nil, fmt.Errorf("thumbnail of record %d: %w", id, err)
	}
	record, there := s.record(id)
	if !there || record.Kind != index.KindImage {
		return nil, fmt.Errorf("thumbnail of record %d: %w", id, index.ErrNotFound)
	}
	jpeg, err := s.view.thumbs.Get(ctx, record)
	if err != nil {
		return nil, fmt.Errorf("thumbnail of record %d: %w", id, err)
	}
	return jpeg, nil
}
