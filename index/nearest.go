package index

import (
	"context"
	"errors"
	"fmt"

	"mekiki/index/vector"
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

// newVectorIndexes makes the indexes of a space's images and texts.
func newVectorIndexes(width int) (images, texts vectorIndex, err error) {
	first, err := vector.New(vector.Options{Width: width})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrSpace, err)
	}
	second, err := vector.New(vector.Options{Width: width})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrSpace, err)
	}
	return exactIndex{first}, exactIndex{second}, nil
}

// exactIndex is the vectorIndex of package vector.
type exactIndex struct{ *vector.Index }

// Add implements vectorIndex.
func (x exactIndex) Add(group uint64, vectors []float32) error {
	return spaceError(x.Index.Add(group, vectors))
}

// View implements vectorIndex.
func (x exactIndex) View() vectorView { return exactView{x.Index.View()} }

type exactView struct{ *vector.View }

// Search implements vectorView.
func (v exactView) Search(ctx context.Context, queries []float32, k int, allow func(uint64) bool) ([]Neighbour, error) {
	found, err := v.View.Search(ctx, queries, k, allow)
	if err != nil {
		return nil, spaceError(err)
	}
	neighbours := make([]Neighbour, len(found))
	for i, n := range found {
		neighbours[i] = Neighbour{ID: ID(n.Group), Score: n.Score, Part: n.Part}
	}
	return neighbours, nil
}

// spaceError marks errors about vectors as the index's own.
func spaceError(err error) error {
	if errors.Is(err, vector.ErrVectors) {
		return fmt.Errorf("%w: %w", ErrSpace, err)
	}
	return err
}
