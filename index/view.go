package index

import (
	"sync/atomic"

	"mekiki/index/keyword"
)

// view is everything that a snapshot reads: a state, and the segments and
// derived indexes that go with it. It is immutable and counts its users.
type view struct {
	state    *state
	segments segmentSet
	images   vectorView // of the serving space; nil without one
	texts    vectorView
	words    *keyword.Index
	thumbs   *thumbnails
	lookup   *lookup

	references atomic.Int64
}

// newView takes over the segment set.
func newView(s *state, segments segmentSet, d *derived) *view {
	v := &view{state: s, segments: segments, words: d.words, thumbs: d.thumbs, lookup: d.lookup}
	if d.images != nil {
		v.images, v.texts = d.images.View(), d.texts.View()
	}
	v.references.Store(1)
	return v
}

func (v *view) retain() { v.references.Add(1) }

func (v *view) release() error {
	if v.references.Add(-1) > 0 {
		return nil
	}
	return v.segments.release()
}
