package vector

import (
	"cmp"
	"context"
	"io"
	"slices"

	"mekiki/index/vector/coder"
	"mekiki/index/vector/representatives"
)

// coderFinder finds entries by a graph of github.com/coder/hnsw, which has the nodes that a
// graph of this package would have.
type coderFinder struct {
	nodes   *coder.Graph
	entries []location
	merger  *representatives.Merger
}

// buildCoder builds the graph of all entries.
func (b *builder) buildCoder() *coderFinder {
	f, reader := &coderFinder{nodes: coder.New(), merger: representatives.NewMerger(b.width, graphRepresentatives, b.kernel)}, b.newReader()
	for number, c := range b.chunks {
		for slot := range c.entries {
			if at := (location{uint32(number), uint32(slot)}); !b.removed(at) && !b.isStopped() {
				f.add(reader, c, at)
			}
		}
	}
	return f
}

func (f *coderFinder) add(reader *reader, c *chunk, at location) {
	rows, codes, err := reader.entry(c, int(at.slot))
	if err != nil {
		return
	}
	f.merger.Merge(codes, rows, func(mean []float32) {
		_ = f.nodes.Add(slices.Clone(unit(mean))) // what fails is not found
		f.entries = append(f.entries, at)
	})
}

// insert implements finder.
func (f *coderFinder) insert(c *content, reader *reader, numbers []int) {
	for _, number := range numbers {
		at := c.find(number)
		f.add(reader, c.chunk(at.chunk), at)
	}
}

// snapshot implements finder. The graph grows under the view, which leaves out the rest.
func (f *coderFinder) snapshot() proposer { return &coderView{f.nodes, f.entries} }

// coderView is a coderFinder at one moment.
type coderView struct {
	nodes   *coder.Graph
	entries []location
}

// propose implements proposer.
func (f *coderView) propose(ctx context.Context, s *scorer) error {
	var found []coder.Found
	for query := range slices.Chunk(s.vectors, s.view.width) {
		if err := ctx.Err(); err != nil {
			return err
		}
		some, err := f.nodes.Search(query, coderBase+coderPerResult*s.k)
		if err != nil {
			return err
		}
		found = append(found, some...)
	}
	slices.SortFunc(found, func(a, b coder.Found) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Number, b.Number))
	})
	for _, one := range found {
		if int(one.Number) < len(f.entries) && !s.consider(f.entries[one.Number], float64(one.Score)) {
			break
		}
	}
	return nil
}

// save implements proposer: it writes that there are no lists.
func (f *coderView) save(v *View, w io.Writer) error { return (&ivf{}).save(v, w) }
