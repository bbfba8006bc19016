package local

import (
	"errors"
	"sync/atomic"

	"mekiki/index/local/catalog"
	"mekiki/index/local/columns"
	"mekiki/index/local/keywords"
	"mekiki/index/local/nearest"
	"mekiki/index/local/segment"
	"mekiki/index/local/thumbnail"
)

// view is everything that a snapshot reads: a state, and the segments and
// derived indexes that go with it. It is immutable and counts its users.
type view struct {
	state         *catalog.State
	segments      segment.Set
	nearest       *nearest.View
	keywordReader *keywords.Reader
	thumbs        *thumbnail.Store
	lookup        *catalog.Lookup
	columns       *columns.Table

	references atomic.Int64
}

// newView takes over the segment set. The vectors are those of the space that
// the derived indexes are for.
func newView(s *catalog.State, segments segment.Set, d *derived) *view {
	d.columns = d.columns.Next(s.Records, s.Withheld > 0)
	v := &view{
		state: s, segments: segments, keywordReader: d.keywordStore.Reader.Retain(), thumbs: d.thumbs, lookup: d.lookup, columns: d.columns,
		nearest: &nearest.View{State: s, Segments: segments, Store: d.vectors},
	}
	v.references.Store(1)
	v.lookup.Pin(s.Sequence)
	return v
}

// emptyView is the view of a library that is closed.
func emptyView() *view {
	v := &view{state: &catalog.State{}, segments: segment.Set{}, lookup: catalog.NewLookup(), columns: columns.New(), nearest: &nearest.View{State: &catalog.State{}}}
	v.references.Store(1)
	v.lookup.Pin(0)
	return v
}

// with is a view of the same state over other segments.
func (v *view) with(segments segment.Set, d *derived) *view {
	next := newView(v.state, segments, d)
	next.nearest = v.nearest.WithSegments(segments)
	return next
}

func (v *view) retain() { v.references.Add(1) }

func (v *view) release() error {
	if v.references.Add(-1) != 0 {
		return nil
	}
	v.lookup.Unpin(v.state.Sequence)
	if v.keywordReader == nil {
		return nil
	}
	return errors.Join(v.keywordReader.Release(), v.segments.Release())
}
