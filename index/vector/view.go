package vector

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"mekiki/index/vector/codes"
	"mekiki/index/vector/kernels"
	"mekiki/index/vector/quantized"
	"mekiki/index/vector/topk"
	"mekiki/internal/bitset"
)

// View is an Index at one moment. It is safe for concurrent use.
type View struct {
	width, stride int
	kernel        kernels.Kernel
	content       content
	proposer      proposer // nil where searches are exact
	method        Method
	effort        float64
	walkAlways    bool
	threads       int
	values        Values
}

// Len is the number of groups.
func (v *View) Len() int { return v.content.entries - v.content.removed.Count() }

// Method says by what the view finds, unless that is not built yet: [Exact], [HNSW], [IVF]
// or [Coder].
func (v *View) Method() Method { return v.method }

// WithValues is the same view, but with Options.Values replaced: for callers who
// know where a group's vectors were when the view was taken, though the index has
// changed since.
func (v *View) WithValues(values Values) *View {
	replaced := *v
	replaced.values = values
	return &replaced
}

// Search gives k groups, or all where there are fewer, with the largest dot product
// between any of their vectors and any of the queries, best first and of equals the
// smaller number first. Queries are rows like vectors. allow says which groups may
// be found, nil that all may; it must not change meanwhile.
//
// A large index may miss some of the nearest, see Options.Method, but not where so
// few groups are allowed, or so many wanted, that scanning all of them is as fast.
// Scores are exact in any case. An error wraps ErrVectors, is the context's or that of
// Options.Values.
func (v *View) Search(ctx context.Context, queries []float32, k int, allow bitset.Set) ([]Neighbour, error) {
	if err := checkRows(queries, v.width); err != nil {
		return nil, err
	}
	if k = min(k, v.Len()); k <= 0 {
		return nil, ctx.Err()
	}
	if v.proposer == nil || v.scanIsFast(k, allow) {
		return v.SearchExact(ctx, queries, k, allow)
	}
	return v.approximate(ctx, queries, k, allow)
}

// SearchExact gives the k nearest groups for certain, like Search otherwise.
//
// It scans every vector's codes. What these can be off by is bounded, so the groups
// that may be among the nearest are known for certain, and they are scored in full
// precision.
func (v *View) SearchExact(ctx context.Context, queries []float32, k int, allow bitset.Set) ([]Neighbour, error) {
	if err := checkRows(queries, v.width); err != nil {
		return nil, err
	}
	if k = min(k, v.Len()); k <= 0 {
		return nil, ctx.Err()
	}
	s := v.newSearch(queries, k)
	s.allow = allow
	if chunks := v.content.chunks(); v.threads > 1 && len(chunks) > v.threads {
		s.scanParallel(ctx, queries, k, chunks)
	} else {
		s.scanChunks(ctx, chunks)
	}
	if err := cmp.Or(ctx.Err(), s.failed); err != nil {
		return nil, err
	}
	return s.rescore(ctx, queries, k)
}

// scanIsFast says whether a filter leaves so little, or k asks for so much, that
// scanning all that is left is as fast as probing.
func (v *View) scanIsFast(k int, allow bitset.Set) bool {
	if k > v.Len()/exactShare {
		return true
	}
	if allow == nil {
		return false
	}
	most := exactRows
	if len(v.content.sealed) > 0 && v.content.sealed[0].saved != nil {
		most = exactSavedRows
	}
	allowed := 0
	for i := range filterSample {
		entry, number := v.content.at(v.content.find(v.content.entries * i / filterSample))
		if !v.content.removed.Has(number) && allow.Has(entry.group) {
			if allowed++; v.content.rows/filterSample*allowed >= most {
				return false
			}
		}
	}
	return true
}

// search is one search under way.
type search struct {
	view        *View
	allow       bitset.Set
	queries     []quantized.Query
	lowerBounds *topk.List[struct{}] // of scores
	proposals   []proposal

	products     []int32
	lower, upper []float64 // bounds of each row's largest product
	likeliest    []int     // rows that may have the largest
	reader       *reader
	helpers      []*search // that score beside this one
	failed       error     // to read what had to be scored
}

// proposal is an entry that may be among the nearest, with the upper bound of its
// score.
type proposal struct {
	chunk *chunk
	slot  int
	upper float64
}

func (v *View) newSearch(queries []float32, k int) *search {
	s := &search{view: v, lowerBounds: topk.New[struct{}](k), reader: v.newReader()}
	for query := range slices.Chunk(queries, v.width) {
		s.queries = append(s.queries, quantized.NewQuery(query, v.stride))
	}
	return s
}

func (v *View) newReader() *reader {
	return &reader{stride: v.stride, width: v.width, values: v.values}
}

// threshold is a score that at least k entries have for certain.
func (s *search) threshold() float64 { return s.lowerBounds.Threshold() }

// scanChunks scans chunks until the context ends.
func (s *search) scanChunks(ctx context.Context, chunks []*chunk) {
	for _, chunk := range chunks {
		if ctx.Err() != nil {
			return
		}
		s.scan(chunk)
	}
}

// scanParallel scans a share of the chunks in each of several goroutines and joins
// their proposals: what is among the nearest of all is among the nearest of its share.
func (s *search) scanParallel(ctx context.Context, queries []float32, k int, chunks []*chunk) {
	shares := make([]*search, s.view.threads)
	var scans sync.WaitGroup
	for i := range shares {
		share := s.view.newSearch(queries, k)
		share.allow = s.allow
		shares[i] = share
		scans.Go(func() { share.scanChunks(ctx, chunks[i*len(chunks)/len(shares):(i+1)*len(chunks)/len(shares)]) })
	}
	scans.Wait()
	for _, share := range shares {
		s.proposals, s.failed = append(s.proposals, share.proposals...), cmp.Or(s.failed, share.failed)
		for _, bound := range share.lowerBounds.All() {
			s.lowerBounds.Offer(bound.Score, bound.Value)
		}
	}
}

// scan scans the runs of consecutive entries of a chunk that may be found.
func (s *search) scan(c *chunk) {
	if s.allow != nil && !s.allow.HasAny(c.lowest, c.highest) {
		return
	}
	start := 0
	for i := range c.entries {
		if s.view.content.removed.Has(c.first+i) || s.allow != nil && !s.allow.Has(c.entries[i].group) {
			s.propose(c, start, i)
			start = i + 1
		}
	}
	s.propose(c, start, len(c.entries))
}

// propose proposes those of the entries from start to before end that may be among the
// nearest.
func (s *search) propose(c *chunk, start, end int) {
	if start == end {
		return
	}
	if c.saved != nil {
		s.proposeSaved(c, start, end)
		return
	}
	firstRow, endRow := int(c.entries[start].row), c.endRow(end-1)
	s.bound(c.rows[firstRow:endRow], c.codes[firstRow*s.view.stride:endRow*s.view.stride])
	for i := start; i < end; i++ {
		s.offer(c, i, int(c.entries[i].row)-firstRow, c.endRow(i)-firstRow)
	}
}

// proposeSaved is propose for codes in a file.
func (s *search) proposeSaved(c *chunk, start, end int) {
	s.reader.fill(c, start, end)
	for i := start; i < end; i++ {
		rows, codes, err := s.reader.entry(c, i)
		if err != nil {
			s.failed = cmp.Or(s.failed, err)
			return
		}
		s.bound(rows, codes)
		s.offer(c, i, 0, len(rows))
	}
}

// offer proposes an entry whose rows have the bounds from one to before another.
func (s *search) offer(c *chunk, slot, from, to int) {
	if upper := slices.Max(s.upper[from:to]); upper >= s.threshold() {
		s.proposals = append(s.proposals, proposal{c, slot, upper})
		s.lowerBounds.Offer(slices.Max(s.lower[from:to]), struct{}{})
	}
}

// bound computes the bounds of rows.
func (s *search) bound(rows []codes.Row, codes []byte) {
	count := len(rows)
	s.products = slices.Grow(s.products[:0], count)[:count]
	s.lower = slices.Grow(s.lower[:0], count)[:count]
	s.upper = slices.Grow(s.upper[:0], count)[:count]
	for number := range s.queries {
		query := &s.queries[number]
		s.view.kernel.Dot(query.Codes, codes, s.products)
		for i, row := range rows {
			lower, upper := query.Bounds(row, s.products[i])
			if number > 0 {
				lower, upper = max(lower, s.lower[i]), max(upper, s.upper[i])
			}
			s.lower[i], s.upper[i] = lower, upper
		}
	}
}

// rescore scores proposals exactly, the most promising first, until no other can be
// among the nearest.
func (s *search) rescore(ctx context.Context, queries []float32, k int) ([]Neighbour, error) {
	threshold := s.threshold()
	s.proposals = slices.DeleteFunc(s.proposals, func(p proposal) bool { return p.upper < threshold })
	slices.SortFunc(s.proposals, func(a, b proposal) int { return cmp.Compare(b.upper, a.upper) })
	scores, found := topk.New[struct{}](k), make([]Neighbour, 0, k)
	for start := 0; start < len(s.proposals) && s.proposals[start].upper >= scores.Threshold(); start += scoredAtOnce {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		some, err := s.scoreAll(queries, s.proposals[start:min(start+scoredAtOnce, len(s.proposals))])
		if err != nil {
			return nil, err
		}
		for _, neighbour := range some {
			scores.Offer(float64(neighbour.Score), struct{}{})
		}
		found = append(found, some...)
	}
	return best(found, k), nil
}

// score scores an entry exactly: those of its rows that may have the largest product.
func (s *search) score(queries []float32, c *chunk, slot int) (Neighbour, error) {
	entry, width := &c.entries[slot], s.view.width
	rows, codes, err := s.reader.entry(c, slot)
	if err != nil {
		return Neighbour{}, err
	}
	s.bound(rows, codes)
	s.likeliest = s.likeliest[:0]
	largestLower := slices.Max(s.lower)
	for row, upper := range s.upper {
		if upper >= largestLower {
			s.likeliest = append(s.likeliest, row)
		}
	}
	values, err := s.view.valuesOf(entry, s.likeliest)
	if err != nil {
		return Neighbour{}, err
	}
	found := Neighbour{Group: entry.group, Score: float32(math.Inf(-1))}
	for i, row := range s.likeliest {
		if score, _ := similarity(queries, values[i*width:(i+1)*width], width); score > found.Score {
			found.Score, found.Part = score, row
		}
	}
	return found, nil
}

// valuesOf gives the vectors of some rows of an entry.
func (v *View) valuesOf(e *entry, rows []int) ([]float32, error) {
	if v.values != nil {
		return readValues(v.values, e.group, rows, len(rows)*v.width)
	}
	var values []float32
	for _, row := range rows {
		values = append(values, e.values[row*v.width:(row+1)*v.width]...)
	}
	return values, nil
}

// readValues reads vectors of a group again, which are so many values.
func readValues(read Values, group uint64, rows []int, count int) ([]float32, error) {
	values, err := read(group, rows)
	if err == nil && len(values) != count {
		err = fmt.Errorf("%w: %d values where %d were added", ErrVectors, len(values), count)
	}
	if err != nil {
		return nil, fmt.Errorf("vectors of group %d: %w", group, err)
	}
	return values, nil
}
