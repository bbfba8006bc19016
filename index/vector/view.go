package vector

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
)

// View is an Index at one moment. It is safe for concurrent use.
type View struct {
	width, stride int
	kernel        kernel
	content       content
	cells         cells
	effort        float64
	threads       int
	values        func(group uint64) ([]float32, error)
}

// Len is the number of groups.
func (v *View) Len() int { return v.content.entries - v.content.dead.count }

// Search gives k groups, or all where there are fewer, with the largest dot product
// between any of their vectors and any of the queries, best first and of equals the
// smaller number first. Queries are rows like vectors. allow says which groups may
// be found, nil that all may; it must give the same answer each time.
//
// A large index may miss some of the nearest, see Options.Method, but not where so
// few groups are allowed, or so many wanted, that looking at all of them is as fast.
// Scores are exact in any case.
func (v *View) Search(ctx context.Context, queries []float32, k int, allow func(group uint64) bool) ([]Neighbour, error) {
	if err := checkRows(queries, v.width); err != nil {
		return nil, err
	}
	if k = min(k, v.Len()); k <= 0 {
		return nil, ctx.Err()
	}
	if v.cells.count == 0 || v.selective(k, allow) {
		return v.SearchExact(ctx, queries, k, allow)
	}
	return v.approximate(ctx, queries, k, allow)
}

// SearchExact gives the k nearest groups for certain, like Search otherwise.
//
// Every vector's codes are looked at. What they can be off by is known, so groups
// that may be among the nearest are found for certain, and those are scored in
// full precision.
func (v *View) SearchExact(ctx context.Context, queries []float32, k int, allow func(group uint64) bool) ([]Neighbour, error) {
	if err := checkRows(queries, v.width); err != nil {
		return nil, err
	}
	if k = min(k, v.Len()); k <= 0 {
		return nil, ctx.Err()
	}
	s := v.searching(queries, k)
	s.allow = allow
	if chunks := v.content.chunks(); allow == nil && v.threads > 1 && len(chunks) > v.threads {
		s.scanTogether(ctx, queries, k, chunks)
	} else {
		s.scanAll(ctx, chunks)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.rescore(ctx, queries, k)
}

// scanAll looks at chunks until the context ends.
func (s *searching) scanAll(ctx context.Context, chunks []*chunk) {
	for _, chunk := range chunks {
		if ctx.Err() != nil {
			return
		}
		s.scan(chunk)
	}
}

// scanTogether looks at chunks in several goroutines, and then at what each
// proposes: what is among the nearest of all is among the nearest of its part.
func (s *searching) scanTogether(ctx context.Context, queries []float32, k int, chunks []*chunk) {
	parts := make([]*searching, s.view.threads)
	var scans sync.WaitGroup
	for i := range parts {
		part := s.view.searching(queries, k)
		parts[i] = part
		scans.Go(func() { part.scanAll(ctx, chunks[i*len(chunks)/len(parts):(i+1)*len(chunks)/len(parts)]) })
	}
	scans.Wait()
	for _, part := range parts {
		s.proposals = append(s.proposals, part.proposals...)
		for _, lower := range part.kth.heap {
			s.kth.offer(lower)
		}
	}
}

func (v *View) searching(queries []float32, k int) *searching {
	s := &searching{view: v, kth: newLargest(k)}
	for query := range slices.Chunk(queries, v.width) {
		s.queries = append(s.queries, newQueryCode(query, v.stride))
	}
	return s
}

// searching is one search under way.
type searching struct {
	view      *View
	allow     func(group uint64) bool
	queries   []queryCode
	kth       *largest // of the lower limits of scores
	proposals []proposal

	products     []int32
	lower, upper []float64 // limits of each row's largest product
}

// proposal is an entry that may be among the nearest, with the upper limit of its
// score.
type proposal struct {
	chunk *chunk
	slot  int
	upper float64
}

// scan looks at the runs of consecutive entries of a chunk that may be found.
func (s *searching) scan(c *chunk) {
	start := 0
	for i := range c.entries {
		if s.view.content.dead.has(c.first+i) || s.allow != nil && !s.allow(c.entries[i].group) {
			s.propose(c, start, i)
			start = i + 1
		}
	}
	s.propose(c, start, len(c.entries))
}

// propose looks at the entries from start to before end.
func (s *searching) propose(c *chunk, start, end int) {
	if start == end {
		return
	}
	firstRow := c.entries[start].row
	s.limit(c, firstRow, c.endRow(end-1))
	for i := start; i < end; i++ {
		entry := &c.entries[i]
		from, to := entry.row-firstRow, c.endRow(i)-firstRow
		if upper := slices.Max(s.upper[from:to]); upper >= s.kth.least() {
			s.proposals = append(s.proposals, proposal{c, i, upper})
			s.kth.offer(slices.Max(s.lower[from:to]))
		}
	}
}

// endRow is the row after an entry's last.
func (c *chunk) endRow(entry int) int {
	if entry+1 < len(c.entries) {
		return c.entries[entry+1].row
	}
	return len(c.rows)
}

// limit computes the limits of the rows from first to before end.
func (s *searching) limit(c *chunk, first, end int) {
	count, stride := end-first, s.view.stride
	s.products = slices.Grow(s.products[:0], count)[:count]
	s.lower = slices.Grow(s.lower[:0], count)[:count]
	s.upper = slices.Grow(s.upper[:0], count)[:count]
	for number := range s.queries {
		query := &s.queries[number]
		s.view.kernel.dot(query.codes, c.codes[first*stride:end*stride], s.products)
		for i, row := range c.rows[first:end] {
			lower, upper := query.between(row, s.products[i])
			if number > 0 {
				lower, upper = max(lower, s.lower[i]), max(upper, s.upper[i])
			}
			s.lower[i], s.upper[i] = lower, upper
		}
	}
}

// rescore scores proposals exactly, the most promising first, until no other can be
// among the nearest.
func (s *searching) rescore(ctx context.Context, queries []float32, k int) ([]Neighbour, error) {
	least := s.kth.least()
	s.proposals = slices.DeleteFunc(s.proposals, func(p proposal) bool { return p.upper < least })
	slices.SortFunc(s.proposals, func(a, b proposal) int { return cmp.Compare(b.upper, a.upper) })
	exact, found := newLargest(k), make([]Neighbour, 0, k)
	for i, proposal := range s.proposals {
		if proposal.upper < exact.least() {
			break
		}
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		neighbour, err := s.score(queries, proposal.chunk, proposal.slot)
		if err != nil {
			return nil, err
		}
		found = append(found, neighbour)
		exact.offer(float64(neighbour.Score))
	}
	return best(found, k), nil
}

// score scores an entry exactly: those of its rows that may have the largest product.
func (s *searching) score(queries []float32, c *chunk, slot int) (Neighbour, error) {
	entry, width := &c.entries[slot], s.view.width
	first, end := entry.row, c.endRow(slot)
	values, err := s.view.valuesOf(entry, end-first)
	if err != nil {
		return Neighbour{}, err
	}
	s.limit(c, first, end)
	least, found := slices.Max(s.lower), Neighbour{Group: entry.group, Score: float32(math.Inf(-1))}
	for row, upper := range s.upper {
		if upper < least {
			continue
		}
		if score, _ := similarity(queries, values[row*width:(row+1)*width], width); score > found.Score {
			found.Score, found.Part = score, row
		}
	}
	return found, nil
}

// valuesOf gives the vectors of an entry that has so many rows.
func (v *View) valuesOf(e *entry, rows int) ([]float32, error) {
	if v.values == nil {
		return e.values, nil
	}
	values, err := v.values(e.group)
	if err == nil && len(values) != rows*v.width {
		err = fmt.Errorf("%w: %d values where %d were added", ErrVectors, len(values), rows*v.width)
	}
	if err != nil {
		return nil, fmt.Errorf("vectors of group %d: %w", e.group, err)
	}
	return values, nil
}

// selective says whether a filter leaves so little, or k asks for so much, that
// looking at all that is left is as fast as approximating.
func (v *View) selective(k int, allow func(group uint64) bool) bool {
	const sample, exactRows = 256, 500_000
	if k > v.Len()/16 {
		return true
	}
	if allow == nil {
		return false
	}
	allowed := 0
	for i := range sample {
		entry, number := v.content.at(v.content.find(v.content.entries * i / sample))
		if !v.content.dead.has(number) && allow(entry.group) {
			allowed++
		}
	}
	return v.content.rows/sample*allowed < exactRows
}

// largest keeps the largest values that it is offered, up to a number of them, as a
// heap with the least on top.
type largest struct {
	limit int
	heap  []float64
}

func newLargest(limit int) *largest { return &largest{limit: limit} }

// least is the least of the values kept once the number is reached, and minus
// infinity before.
func (l *largest) least() float64 {
	if len(l.heap) < l.limit {
		return math.Inf(-1)
	}
	return l.heap[0]
}

func (l *largest) offer(value float64) {
	switch {
	case len(l.heap) < l.limit:
		l.heap = append(l.heap, value)
		for i := len(l.heap) - 1; i > 0 && l.heap[i] < l.heap[(i-1)/2]; i = (i - 1) / 2 {
			l.heap[i], l.heap[(i-1)/2] = l.heap[(i-1)/2], l.heap[i]
		}
	case value > l.heap[0]:
		l.heap[0] = value
		l.sink()
	}
}

// sink restores the heap after its top grew.
func (l *largest) sink() {
	for i := 0; ; {
		child := 2*i + 1
		if child+1 < len(l.heap) && l.heap[child+1] < l.heap[child] {
			child++
		}
		if child >= len(l.heap) || l.heap[i] <= l.heap[child] {
			return
		}
		l.heap[i], l.heap[child] = l.heap[child], l.heap[i]
		i = child
	}
}
