package nearest

import (
	"context"
	"errors"
	"fmt"
	"io"

	"mekiki/index"
	"mekiki/index/vector"
	"mekiki/internal/bitset"
)

// Index finds the groups nearest to a query. A group is a record. Its
// methods are for one goroutine at a time.
type Index interface {
	// Add puts in a group's vectors, row after row, in place of those it has.
	Add(group uint64, vectors []float32) error
	// UseCodes adds groups whose codes are in a file, to an empty index.
	UseCodes(from *vector.Codes, keep func(number int) bool) error
	// Remove takes a group out, if it is there.
	Remove(group uint64)
	// Method says by what the index finds at its present size.
	Method() vector.Method
	// Load reads what a view has saved, a file of so many bytes, and reports how many groups it had
	// nothing of, and whether the file has to stay open.
	Load(from io.ReaderAt, size int64) (missing int, keep bool, err error)
	// Damaged reports whether something that was loaded is read from a file that is damaged, so that
	// searches do without it; Forget lets go of it.
	Damaged() bool
	Forget()
	// Defer says whether views are exact while what makes them fast has to be built;
	// Pending gives what is to be built then, or nil; and Adopt takes it into use.
	Defer(deferring bool)
	Pending() *vector.Build
	Adopt(built *vector.Build) bool
	// Release gives the same index, which from now on does not keep the vectors in
	// full precision.
	Release() Index
	// View gives the current content; it never changes. Values gives a group's
	// vectors as of now, in case the index does not keep them.
	View(values vector.Values) IndexView
}

// IndexView is a vector index at one moment. It is safe for concurrent use.
type IndexView interface {
	// Search gives the k groups with the largest cosine between any of their
	// vectors and any of the queries, best first; allow may be nil.
	Search(ctx context.Context, queries []float32, k int, allow bitset.Set) ([]index.Neighbour, error)
	// Method says by what the view finds.
	Method() vector.Method
	// Len is the number of groups.
	Len() int
	// Damaged is as for Index.
	Damaged() bool
	// Save writes what takes long to build, for Load.
	Save(to io.Writer) error
}

// NewIndex makes an empty index. Unless it is to keep the vectors in full
// precision, in memory, its views read them when they score.
func NewIndex(options vector.Options, keep bool) (Index, error) {
	if keep {
		options.Values = nil
	} else if options.Values == nil {
		options.Values = readNothing
	}
	made, err := vector.New(options)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", index.ErrSpace, err)
	}
	return searchIndex{made, keep}, nil
}

var errNoReader = errors.New("the vectors are not in memory, and nothing reads them")

func readNothing(uint64, []int) ([]float32, error) { return nil, errNoReader }

// Release implements vectorIndex.
func (x searchIndex) Release() Index {
	x.Index.Release(readNothing)
	return searchIndex{x.Index, false}
}

// searchIndex is the vectorIndex of package vector.
type searchIndex struct {
	*vector.Index
	keep bool
}

// Add implements vectorIndex.
func (x searchIndex) Add(group uint64, vectors []float32) error {
	return spaceError(x.Index.Add(group, vectors))
}

// Load implements vectorIndex.
func (x searchIndex) Load(from io.ReaderAt, size int64) (missing int, keep bool, err error) {
	loaded, keep, err := x.Index.LoadFile(from, size)
	return loaded.Inserted, keep, err
}

// Damaged implements Index.
func (x searchIndex) Damaged() bool { return x.Index.View().Damaged() }

// View implements vectorIndex.
func (x searchIndex) View(values vector.Values) IndexView {
	view := x.Index.View()
	if !x.keep {
		view = view.WithValues(values)
	}
	return searchView{view}
}

type searchView struct{ *vector.View }

// Search implements vectorView.
func (v searchView) Search(ctx context.Context, queries []float32, k int, allow bitset.Set) ([]index.Neighbour, error) {
	found, err := v.View.Search(ctx, queries, k, allow)
	if err != nil {
		return nil, spaceError(err)
	}
	neighbours := make([]index.Neighbour, len(found))
	for i, n := range found {
		neighbours[i] = index.Neighbour{ID: index.ID(n.Group), Score: n.Score, Part: n.Part}
	}
	return neighbours, nil
}

// spaceError marks errors about vectors as the index's own.
func spaceError(err error) error {
	if errors.Is(err, vector.ErrVectors) {
		return fmt.Errorf("%w: %w", index.ErrSpace, err)
	}
	return err
}
