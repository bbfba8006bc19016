// Package pace cuts work into batches that end in time: fewer at a time when the end
// is near, and none when not even one would fit.
//
//	pace := pace.Pacer{Deadline: deadline, Batch: 8}
//	for size := pace.Next(len(rest)); size > 0; size = pace.Next(len(rest)) {
//		begun := time.Now()
//		do(rest[:size])
//		pace.Took(time.Since(begun), size)
//		rest = rest[size:]
//	}
package pace

import "time"

// Pacer says how much work to do next. The caller fills in Deadline and Batch.
type Pacer struct {
	// Deadline is when the work must end; zero means never.
	Deadline time.Time
	// Batch is the most items at a time.
	Batch int
	// Each is what one item took lately; 0 while that is not known.
	Each time.Duration
}

// Next gives the size of the next batch of at most left items; 0 ends the work.
func (p *Pacer) Next(left int) int {
	size := min(left, p.Batch)
	if p.Deadline.IsZero() {
		return size
	}
	remaining := time.Until(p.Deadline)
	if remaining <= 0 {
		return 0
	}
	if p.Each > 0 && time.Duration(size)*p.Each > remaining {
		return int(remaining / p.Each)
	}
	return size
}

// Took says how long a batch of a size took.
func (p *Pacer) Took(duration time.Duration, size int) {
	p.Each = duration / time.Duration(max(size, 1))
}
