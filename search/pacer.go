package search

import "time"

// pacer cuts work into batches that end in time: fewer at a time when the end
// is near, and none when not even one would fit.
type pacer struct {
	deadline time.Time // zero means none
	batch    int
	each     time.Duration // what one item took lately
}

// next gives the size of the next batch of at most left items; 0 ends the work.
func (p *pacer) next(left int) int {
	size := min(left, p.batch)
	if p.deadline.IsZero() {
		return size
	}
	remaining := time.Until(p.deadline)
	if remaining <= 0 {
		return 0
	}
	if p.each > 0 && time.Duration(size)*p.each > remaining {
		return int(remaining / p.each)
	}
	return size
}

// took says how long a batch of a size took.
func (p *pacer) took(duration time.Duration, size int) {
	p.each = duration / time.Duration(max(size, 1))
}
