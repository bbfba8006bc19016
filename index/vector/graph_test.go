package vector

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// newWalked gives an Index that walks its graph, however small.
func newWalked(t *testing.T) indexed {
	t.Helper()
	index := newByGraph(testWidth)
	index.index.options.walkAlways = true
	return index
}

// TestGraphGrows adds and removes, and searches under filters, by a walk and by a scan of
// the graph's nodes, also in a view from before.
func TestGraphGrows(t *testing.T) {
	for _, index := range []indexed{newWalked(t), newByGraph(testWidth)} {
		data := newClustered(6, 40)
		var early *View
		for group := range uint64(4000) {
			if err := index.Add(group, data.group(1+data.source.IntN(12))); err != nil {
				t.Fatal(err)
			}
			if group%9 == 8 {
				_ = index.Remove(group / 2)
			}
			if group%500 == 499 {
				index.index.View()
			}
			if group == 1999 {
				early = index.index.View()
			}
		}
		late := index.index.View()
		if before, after := early.proposer.(*graphView).nodes.Len(), late.proposer.(*graphView).nodes.Len(); after < 3*before/2 {
			t.Errorf("%d nodes, and %d of half of the groups", after, before)
		}
		for _, view := range []*View{early, late} {
			for _, part := range []uint64{1, 2, 30, 1000} {
				t.Run(fmt.Sprintf("one of %d", part), func(t *testing.T) {
					checkRecall(t, view, data, func(group uint64) bool { return group%part == 0 })
				})
			}
		}
	}
}

// TestGraphViewStays searches a view while the index changes.
func TestGraphViewStays(t *testing.T) {
	index := newWalked(t)
	data := fill(t, 1000, index)
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
	for group := range uint64(900) {
		if err := index.Add(1e6+group, data.group(2)); err != nil {
			t.Fatal(err)
		}
		if group%30 == 0 {
			index.index.View()
		}
	}
	searches.Wait()
}
