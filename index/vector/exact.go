package vector

import "context"

// Exact is the Graph that looks at every vector in full precision: the meaning of
// the others.
type Exact struct {
	width  int
	groups map[uint64][]float32
}

// NewExact gives an empty Exact for vectors of a width.
func NewExact(width int) *Exact {
	return &Exact{width: width, groups: map[uint64][]float32{}}
}

// Add implements Graph.
func (e *Exact) Add(group uint64, vectors []float32) error {
	if err := checkRows(vectors, e.width); err != nil {
		return err
	}
	e.groups[group] = vectors
	return nil
}

// Remove implements Graph.
func (e *Exact) Remove(group uint64) error {
	delete(e.groups, group)
	return nil
}

// Len implements Graph.
func (e *Exact) Len() int { return len(e.groups) }

// Search implements Graph; it finds the nearest.
func (e *Exact) Search(ctx context.Context, queries []float32, k int, allow func(group uint64) bool) ([]Neighbour, error) {
	if err := checkRows(queries, e.width); err != nil {
		return nil, err
	}
	var found []Neighbour
	for group := range e.groups {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if allow == nil || allow(group) {
			found = append(found, e.score(queries, group))
		}
	}
	return best(found, k), nil
}

// score scores a group that is in.
func (e *Exact) score(queries []float32, group uint64) Neighbour {
	score, part := similarity(queries, e.groups[group], e.width)
	return Neighbour{Group: group, Score: score, Part: part}
}
