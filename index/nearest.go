package index

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// vectorIndex finds the groups nearest to a query. A group is a record. Add
// and Remove are for one goroutine at a time.
type vectorIndex interface {
	// Add puts in a group's vectors, row after row, in place of those it has.
	Add(group uint64, vectors []float32) error
	// Remove takes a group out, if it is there.
	Remove(group uint64)
	// View gives the current content; it never changes.
	View() vectorView
}

// vectorView is a vector index at one moment. It is safe for concurrent use.
type vectorView interface {
	// Search gives the k groups with the largest cosine between any of their
	// vectors and any of the queries, best first; allow may be nil.
	Search(ctx context.Context, queries []float32, k int, allow func(group uint64) bool) ([]Neighbour, error)
	// Len is the number of groups.
	Len() int
}

// scan is a vectorIndex that looks at every vector.
type scan struct {
	width  int
	groups table[[]float32]
}

type scanView struct {
	width  int
	groups table[[]float32]
}

func newScan(width int) *scan { return &scan{width: width} }

// Add implements vectorIndex.
func (s *scan) Add(group uint64, vectors []float32) error {
	if len(vectors) == 0 || len(vectors)%s.width != 0 {
		return fmt.Errorf("%w: %d values for vectors of width %d", ErrSpace, len(vectors), s.width)
	}
	edit := editTable(s.groups)
	edit.set(ID(group), vectors)
	s.groups = edit.table
	return nil
}

// Remove implements vectorIndex.
func (s *scan) Remove(group uint64) {
	edit := editTable(s.groups)
	edit.remove(ID(group))
	s.groups = edit.table
}

// View implements vectorIndex.
func (s *scan) View() vectorView { return scanView{s.width, s.groups} }

// Len implements vectorView.
func (v scanView) Len() int { return v.groups.count }

// Search implements vectorView.
func (v scanView) Search(ctx context.Context, queries []float32, k int, allow func(uint64) bool) ([]Neighbour, error) {
	if len(queries) == 0 || len(queries)%v.width != 0 {
		return nil, fmt.Errorf("%w: a query of %d values, expected a multiple of %d", ErrSpace, len(queries), v.width)
	}
	var found []Neighbour
	for id, vectors := range v.groups.all() {
		if id%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if allow != nil && !allow(uint64(id)) {
			continue
		}
		score, part := v.similarity(queries, vectors)
		found = append(found, Neighbour{ID: id, Score: score, Part: part})
	}
	slices.SortFunc(found, func(a, b Neighbour) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return found[:min(k, len(found))], nil
}

func (v scanView) similarity(queries, vectors []float32) (best float32, part int) {
	best = -2
	for row := 0; row*v.width < len(vectors); row++ {
		vector := vectors[row*v.width : (row+1)*v.width]
		for start := 0; start < len(queries); start += v.width {
			var sum float32
			for i, value := range queries[start : start+v.width] {
				sum += value * vector[i]
			}
			if sum > best {
				best, part = sum, row
			}
		}
	}
	return best, part
}
