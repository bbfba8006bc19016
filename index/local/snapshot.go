package local

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/internal/segment"
	"slices"
	"strings"
	"sync/atomic"
)

// Snapshot is the library as it was at one commit. It never changes, its
// methods may be called from any goroutine, and none of them waits for a
// writer. Close it when done.
type Snapshot struct {
	view   *view
	err    error
	closed atomic.Bool
}

// Snapshot gives the current state. Close it when done. After the library is
// closed, every method of the snapshot that can fail gives [index.ErrClosed], as does
// [Snapshot.Err]; the others find nothing.
func (l *Library) Snapshot() *Snapshot {
	view, err := l.current()
	if err != nil {
		return &Snapshot{view: emptyView(), err: err}
	}
	if err := view.words.renew(); err != nil {
		l.logger.Debug("read the keyword index again", "error", err)
	}
	return &Snapshot{view: view}
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
func (s *Snapshot) Sequence() uint64 { return s.view.state.sequence }

// Space is the serving space; false while the library has none.
func (s *Snapshot) Space() (embed.Space, bool) {
	if serving := s.view.state.serving(); serving != nil {
		return serving.space, true
	}
	return embed.Space{}, false
}

// Spaces lists all spaces.
func (s *Snapshot) Spaces() []index.SpaceState {
	var states []index.SpaceState
	for _, space := range s.view.state.spaces {
		states = append(states, index.SpaceState{
			Space: space.space, Number: int(space.number), Added: space.added,
			Serving: space.rank == rankServing, Previous: space.rank == rankPrevious,
			Records: space.locations.count, Total: s.view.state.records.count,
		})
	}
	return states
}

// Count gives the number of records of a kind; zero counts all.
func (s *Snapshot) Count(kind index.Kind) int {
	if int(kind) < len(s.view.state.counts) && kind != 0 {
		return s.view.state.counts[kind]
	}
	return s.view.state.records.count
}

// Record gives one record; false when there is none.
func (s *Snapshot) Record(id index.ID) (*index.Record, bool) { return s.view.state.record(id) }

// RecordByPath gives the record that a file holds. The path must be absolute
// and clean.
func (s *Snapshot) RecordByPath(path string) (*index.Record, bool) {
	return s.find(s.view.lookup.paths.at(path, s.Sequence()), func(r *index.Record) bool {
		return slices.ContainsFunc(r.Files, func(f index.File) bool { return f.Path == path })
	})
}

// RecordByHash gives the record with this content.
func (s *Snapshot) RecordByHash(hash index.Hash) (*index.Record, bool) {
	return s.find(s.view.lookup.hashes.at(hash, s.Sequence()), func(r *index.Record) bool { return r.Hash == hash })
}

// RecordByExternalID gives the text record with the user's own id.
func (s *Snapshot) RecordByExternalID(id string) (*index.Record, bool) {
	return s.find(s.view.lookup.externals.at(id, s.Sequence()), func(r *index.Record) bool { return r.ExternalID == id && id != "" })
}

// find gives the record of a lookup, if it is what was looked for.
func (s *Snapshot) find(id index.ID, is func(*index.Record) bool) (*index.Record, bool) {
	if record, there := s.Record(id); there && is(record) {
		return record, true
	}
	return nil, false
}

// Records lists records that pass the filter, and how many there are in all.
func (s *Snapshot) Records(ctx context.Context, filter index.Filter, page index.Page) ([]*index.Record, int, error) {
	if s.err != nil {
		return nil, 0, fmt.Errorf("list records: %w", s.err)
	}
	if page.Offset < 0 || page.Limit < 0 {
		return nil, 0, fmt.Errorf("list records: offset %d or limit %d is negative", page.Offset, page.Limit)
	}
	list := newListing(page)
	if err := s.eachPage(ctx, newMatcher(filter), list.add); err != nil {
		return nil, 0, fmt.Errorf("list records: %w", err)
	}
	return list.records(), list.total, nil
}

// eachPage gives the slots of records that match, page by page in order of ID:
// first is the ID of slot 0. The slots are only good during the visit.
func (s *Snapshot) eachPage(ctx context.Context, m *matcher, visit func(first index.ID, p *page[*index.Record], slots []uint8)) error {
	if s.err != nil {
		return s.err
	}
	pages := s.view.state.records.pages
	if m != nil && m.ids != nil {
		for _, id := range slices.Sorted(maps.Keys(m.ids)) {
			if record, there := s.Record(id); there && m.matches(record) {
				visit(id-id%pageSize, pages[id/pageSize], []uint8{uint8(id % pageSize)})
			}
		}
		return ctx.Err()
	}
	slots := make([]uint8, 0, pageSize)
	for number, p := range pages {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if p == nil {
			continue
		}
		if slots = m.slots(p, slots[:0]); len(slots) > 0 {
			visit(index.ID(number*pageSize), p, slots)
		}
	}
	return nil
}

// All goes through every record in order of ID.
func (s *Snapshot) All() iter.Seq[*index.Record] {
	return func(yield func(*index.Record) bool) {
		for _, record := range s.view.state.records.all() {
			if !yield(record) {
				return
			}
		}
	}
}

// Matches reports whether there is such a record and it passes the filter.
func (s *Snapshot) Matches(id index.ID, filter index.Filter) bool {
	record, there := s.Record(id)
	return there && newMatcher(filter).matches(record)
}

// Failures lists the files that could not be indexed, by path.
func (s *Snapshot) Failures() []index.Failure {
	failures := make([]index.Failure, 0, len(s.view.state.failures))
	for _, failure := range s.view.state.failures {
		failures = append(failures, failure)
	}
	slices.SortFunc(failures, func(a, b index.Failure) int { return strings.Compare(a.File.Path, b.File.Path) })
	return failures
}

// Failure gives what is known of one path that failed.
func (s *Snapshot) Failure(path string) (index.Failure, bool) {
	failure, there := s.view.state.failures[path]
	return failure, there
}

// Parts gives the record's vectors in the serving space. The error is
// [index.ErrNotFound] when it has none.
func (s *Snapshot) Parts(ctx context.Context, id index.ID) (embed.Parts, error) {
	space, record, where, err := s.locate(ctx, id)
	if err == nil && where.vectors.length == 0 {
		err = index.ErrNotFound
	}
	if err != nil {
		return embed.Parts{}, fmt.Errorf("vectors of record %d: %w", id, err)
	}
	parts, err := readVectors(s.view.segments, space, record, where)
	if err != nil {
		return embed.Parts{}, fmt.Errorf("vectors of record %d: %w", id, err)
	}
	return parts, nil
}

func (s *Snapshot) locate(ctx context.Context, id index.ID) (*space, *index.Record, location, error) {
	if s.err != nil {
		return nil, nil, location{}, s.err
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, location{}, err
	}
	serving := s.view.state.serving()
	record, there := s.Record(id)
	if serving == nil || !there {
		return nil, nil, location{}, index.ErrNotFound
	}
	where, there := serving.locations.get(id)
	if !there {
		return nil, nil, location{}, index.ErrNotFound
	}
	return serving, record, where, nil
}

// HasParts reports whether the record has vectors in a space of the library.
func (s *Snapshot) HasParts(id index.ID, space embed.Space) bool {
	found := s.view.state.spaceOf(space)
	if found == nil {
		return false
	}
	where, there := found.locations.get(id)
	return there && where.vectors.length > 0
}

// ImageTokens gives the record's image tokens in the serving space, unpacked.
// The error is [index.ErrNotFound] when they are not kept; then embed the original.
func (s *Snapshot) ImageTokens(ctx context.Context, id index.ID) (embed.ImageTokens, error) {
	space, _, where, err := s.locate(ctx, id)
	if err == nil && where.tokens.length == 0 {
		err = index.ErrNotFound
	}
	if err != nil {
		return embed.ImageTokens{}, fmt.Errorf("image tokens of record %d: %w", id, err)
	}
	payload, err := s.view.segments.read(segmentKey{space.number, segment.Tokens, where.tokens.segment}, id, where.tokens)
	if err != nil {
		return embed.ImageTokens{}, fmt.Errorf("image tokens of record %d: %w", id, err)
	}
	tokens, err := embed.Unpack(payload)
	if err != nil {
		return embed.ImageTokens{}, fmt.Errorf("image tokens of record %d: %w: %w", id, index.ErrDamaged, err)
	}
	return tokens, nil
}
