package vector

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index/vector/coder"
	"mekiki/index/vector/kernels"
	"mekiki/internal/bitset"
)

// indexed is the searcher over an Index.
type indexed struct{ index *Index }

func newIndexed(width int, kernel kernels.Kernel) indexed {
	index, err := New(Options{Width: width})
	if err != nil {
		panic(err)
	}
	index.kernel = kernel
	return indexed{index}
}

func (i indexed) Add(group uint64, vectors []float32) error { return i.index.Add(group, vectors) }

func (i indexed) Remove(group uint64) error {
	i.index.Remove(group)
	return nil
}

func (i indexed) Len() int { return i.index.View().Len() }

func (i indexed) Search(ctx context.Context, queries []float32, k int, allow func(uint64) bool) ([]Neighbour, error) {
	view := i.index.View()
	return view.Search(ctx, queries, k, allowing(view, allow))
}

func TestIndexRefusesWidths(t *testing.T) {
	for _, width := range []int{-1, 0, maximumWidth + 1} {
		if _, err := New(Options{Width: width}); err == nil {
			t.Errorf("width %d is accepted", width)
		}
	}
}

// TestIndexEqualsExact draws vectors that quantization confuses: ties, nearly equal
// ones, zeros, and lengths far from one.
func TestIndexEqualsExact(t *testing.T) {
	for _, width := range []int{1, 7, 64, 200} {
		for _, kernel := range kernels.All() {
			source := rand.New(rand.NewPCG(uint64(width), 3))
			index, exact := newIndexed(width, kernel), newExhaustive(width)
			base := draw(source, width, 1)
			for group := range uint64(700) {
				vectors := confusing(source, base, width)
				if err := errors.Join(index.Add(group*5%701, vectors), exact.Add(group*5%701, vectors)); err != nil {
					t.Fatal(err)
				}
			}
			for _, queries := range [][]float32{base, draw(source, width, 5), make([]float32, width)} {
				for _, k := range []int{1, 17, 5000} {
					want, _ := exact.Search(t.Context(), queries, k, nil)
					got, err := index.Search(t.Context(), queries, k, nil)
					if err != nil || !slices.Equal(got, want) {
						t.Fatalf("%s, width %d, k %d: %v %s", kernel.Name, width, k, err, cmp.Diff(want, got))
					}
				}
			}
		}
	}
}

func draw(source *rand.Rand, width, rows int) []float32 {
	values := make([]float32, width*rows)
	for i := range values {
		values[i] = float32(source.NormFloat64() / math.Sqrt(float64(width)))
	}
	return values
}

func confusing(source *rand.Rand, base []float32, width int) []float32 {
	switch source.IntN(6) {
	case 0:
		return draw(source, width, 1+source.IntN(9))
	case 1:
		return make([]float32, width*2)
	case 2:
		return slices.Clone(base)
	case 3:
		vectors := draw(source, width, 1)
		for i := range vectors {
			vectors[i] *= float32(math.Pow(10, float64(source.IntN(80)-45)/3))
		}
		return vectors
	}
	vectors := slices.Clone(base)
	vectors[source.IntN(width)] += float32(source.NormFloat64() * 1e-5)
	return vectors
}

// TestViewStays changes an index while goroutines search an earlier view.
func TestViewStays(t *testing.T) {
	index := newIndexed(testWidth, kernels.All()[0])
	data := fill(t, 1500, index)
	view, query := index.index.View(), data.group(2)
	want, err := view.Search(t.Context(), query, 20, nil)
	if err != nil || len(want) != 20 {
		t.Fatal(len(want), err)
	}
	var searches sync.WaitGroup
	for range 2 {
		searches.Go(func() {
			for range 30 {
				if got, err := view.Search(t.Context(), query, 20, nil); err != nil || !slices.Equal(got, want) {
					t.Errorf("a view changed: %v, want %v, %v", got, want, err)
				}
			}
		})
	}
	count := view.Len()
	for group := range uint64(10_500) {
		index.index.Remove(group)
		if group%3 == 0 {
			if err := index.Add(group, data.group(1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	searches.Wait()
	if view.Len() != count || index.Len() != 3500 {
		t.Errorf("%d groups in the view and %d in the index", view.Len(), index.Len())
	}
}

// TestRebuildLeavesOut replaces every group until removed entries outnumber them.
func TestRebuildLeavesOut(t *testing.T) {
	index, exact := newIndexed(testWidth, kernels.All()[0]), newExhaustive(testWidth)
	data := newClustered(8, 5)
	for number := range uint64(4 * fewTombstones) {
		vectors := data.group(1)
		if err := errors.Join(index.Add(number%500, vectors), exact.Add(number%500, vectors)); err != nil {
			t.Fatal(err)
		}
	}
	if entries := index.index.content.entries; entries > 500+2*fewTombstones {
		t.Errorf("%d entries for 500 groups", entries)
	}
	query := data.group(3)
	want, _ := exact.Search(t.Context(), query, 500, nil)
	if got, err := index.Search(t.Context(), query, 500, nil); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %s", err, cmp.Diff(want, got))
	}
}

func BenchmarkIndex(b *testing.B) {
	index, exact := newIndexed(testWidth, kernels.All()[0]), newExhaustive(testWidth)
	data := fill(b, 5000, index, exact)
	query, view := data.group(1), index.index.View()
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			if _, err := view.Search(b.Context(), query, 10, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("exact", func(b *testing.B) {
		for b.Loop() {
			if _, err := exact.Search(b.Context(), query, 10, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// newByGraph gives an Index that always walks a graph.
func newByGraph(width int) indexed {
	index, err := New(Options{Width: width, Method: HNSW})
	if err != nil {
		panic(err)
	}
	return indexed{index}
}

// newApproximate gives an Index that always probes inverted lists.
func newApproximate(width int) indexed {
	index, err := New(Options{Width: width, Method: IVF})
	if err != nil {
		panic(err)
	}
	return indexed{index}
}

// newThreaded gives an Index that scans its vectors in several goroutines, even the few
// of a test: its chunks are small.
func newThreaded(width int) indexed {
	index, err := New(Options{Width: width, Threads: 3})
	if err != nil {
		panic(err)
	}
	index.chunkRows = 16
	return indexed{index}
}

// coderSearchers has the method of github.com/coder/hnsw where it is available. What it must
// find is not held to a figure: BenchmarkSearchers reports it.
var coderSearchers = func() []searcherCase {
	if !coder.Available {
		return nil
	}
	return []searcherCase{{"coder", func() searcher {
		index, err := New(Options{Width: testWidth, Method: Coder})
		if err != nil {
			panic(err)
		}
		return indexed{index}
	}, 0}}
}()

// allowing gives those of a view's groups that a test allows; nil for all where it is nil.
func allowing(of *View, allow func(group uint64) bool) bitset.Set {
	if allow == nil {
		return nil
	}
	limit := uint64(0)
	for _, chunk := range of.content.chunks() {
		for _, entry := range chunk.entries {
			limit = max(limit, entry.group+1)
		}
	}
	set := bitset.New(limit)
	for group := range limit {
		if allow(group) {
			set.Add(group)
		}
	}
	return set
}
