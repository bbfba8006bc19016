package local

import (
	"errors"
	"sync/atomic"
)

// view is everything that a snapshot reads: a state, and the segments and
// derived indexes that go with it. It is immutable and counts its users.
type view struct {
	state    *state
	segments segmentSet
	vectors  *vectorStore // of the serving space; nil without one
	words    *wordsReader
	thumbs   *thumbnails
	lookup   *lookup

	// found are the vector indexes at this state, once they were asked for.
	found      atomic.Pointer[nearestViews]
	filters    filterCache
	references atomic.Int64
}

// newView takes over the segment set. The vectors are those of the space that
// the derived indexes are for.
func newView(s *state, segments segmentSet, d *derived) *view {
	v := &view{state: s, segments: segments, words: d.reader.retain(), thumbs: d.thumbs, lookup: d.lookup, vectors: d.vectors}
	v.references.Store(1)
	v.lookup.hold(s.sequence)
	return v
}

// emptyView is the view of a library that is closed.
func emptyView() *view {
	v := &view{state: &state{}, segments: segmentSet{}, lookup: newLookup()}
	v.references.Store(1)
	v.lookup.hold(0)
	return v
}

func (v *view) retain() { v.references.Add(1) }

func (v *view) release() error {
	if v.references.Add(-1) != 0 {
		return nil
	}
	v.lookup.letGo(v.state.sequence)
	if v.words == nil {
		return nil
	}
	return errors.Join(v.words.release(), v.segments.release())
}
