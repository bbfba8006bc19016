package vector

import "context"

// exhaustive is the searcher that scores every vector in full precision: the others
// are measured against it.
type exhaustive struct {
	width  int
	groups map[uint64][]float32
}

// newExhaustive gives an empty exhaustive searcher for vectors of a width.
func newExhaustive(width int) *exhaustive {
	return &exhaustive{width: width, groups: map[uint64][]float32{}}
}

// Add implements searcher.
func (e *exhaustive) Add(group uint64, vectors []float32) error {
	if err := checkRows(vectors, e.width); err != nil {
		return err
	}
	e.groups[group] = vectors
	return nil
}

// Remove implements searcher.
func (e *exhaustive) Remove(group uint64) error {
	delete(e.groups, group)
	return nil
}

// Len implements searcher.
func (e *exhaustive) Len() int { return len(e.groups) }

// Search implements searcher; it finds the nearest.
func (e *exhaustive) Search(ctx context.Context, queries []float32, k int, allow func(group uint64) bool) ([]Neighbour, error) {
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
func (e *exhaustive) score(queries []float32, group uint64) Neighbour {
	score, part := similarity(queries, e.groups[group], e.width)
	return Neighbour{Group: group, Score: score, Part: part}
}
