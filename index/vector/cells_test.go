package vector

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// checkCells holds the cells of a view against its groups.
func checkCells(t *testing.T, view *View) {
	t.Helper()
	there, count := map[uint64]bool{}, 0
	for number, cell := range view.cells.list {
		if len(cell.codes) != len(cell.places)*view.stride || len(cell.places) > view.cells.full() {
			t.Fatalf("cell %d has %d members and %d bytes", number, len(cell.places), len(cell.codes))
		}
		count += len(cell.places)
		for _, place := range cell.places {
			if entry, at := view.content.at(place); !view.content.dead.has(at) {
				there[entry.group] = true
			}
		}
	}
	if len(there) != view.Len() || count != view.cells.count || len(view.cells.centres.scales) != len(view.cells.list) {
		t.Fatalf("%d of %d groups, %d of %d members, %d centres of %d cells",
			len(there), view.Len(), count, view.cells.count, len(view.cells.centres.scales), len(view.cells.list))
	}
}

// TestCellsGrow adds and removes while cells split, and searches under filters, also
// in a view from before.
func TestCellsGrow(t *testing.T) {
	index, data := newCelled(testWidth), newClustered(6, 40)
	var early *View
	for group := range uint64(6000) {
		vectors := data.group(1 + data.source.IntN(12))
		if err := index.Add(group, vectors); err != nil {
			t.Fatal(err)
		}
		if group%9 == 8 {
			_ = index.Remove(group / 2)
		}
		if group%1000 == 999 {
			checkCells(t, index.index.View())
		}
		if group == 1999 {
			early = index.index.View()
		}
	}
	cells := len(early.cells.list)
	checkCells(t, early)
	if late := index.index.View(); len(late.cells.list) < 2*cells {
		t.Errorf("%d cells, and %d of a third of the groups", len(late.cells.list), cells)
	}
	for _, part := range []uint64{1, 2, 30, 2000} {
		allow := func(group uint64) bool { return group%part == 0 }
		t.Run(fmt.Sprintf("one of %d", part), func(t *testing.T) {
			checkRecall(t, index.index.View(), data, allow)
		})
	}
}

// checkRecall asks the cells, with one vector and with many.
func checkRecall(t *testing.T, view *View, data *clustered, allow func(uint64) bool) {
	recall := 0.0
	const searches = 12
	for i := range searches {
		queries := data.group(1 + i%3*10)
		want, err := view.SearchExact(t.Context(), queries, 10, allow)
		if err != nil {
			t.Fatal(err)
		}
		got, err := view.approximate(t.Context(), queries, min(10, len(want)), allow)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d of %d, %v", len(got), len(want), err)
		}
		recall += recallOf(got, want) / searches
	}
	t.Logf("recall %.3f", recall)
	if recall < 0.97 {
		t.Errorf("recall %.3f", recall)
	}
}

// TestValuesAreAskedFor lets an index keep no vectors.
func TestValuesAreAskedFor(t *testing.T) {
	exact := newExhaustive(testWidth)
	index, err := New(Options{Width: testWidth, Values: func(group uint64) ([]float32, error) {
		if values, there := exact.groups[group]; there {
			return values, nil
		}
		return nil, fmt.Errorf("group %d: %w", group, context.DeadlineExceeded)
	}})
	if err != nil {
		t.Fatal(err)
	}
	data := fill(t, 300, indexed{index}, exact)
	query := data.group(3)
	want, _ := exact.Search(t.Context(), query, 10, nil)
	got, err := index.View().Search(t.Context(), query, 10, nil)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, want %v, %v", got, want, err)
	}
	clear(exact.groups)
	if _, err := index.View().Search(t.Context(), query, 10, nil); err == nil {
		t.Error("a search without vectors is no error")
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, options := range []Options{{Width: 3, Method: "best"}, {Width: 3, Effort: -1}, {Width: 3, Effort: 1e9}, {Width: 3, Threads: -1}} {
		if _, err := New(options); err == nil {
			t.Errorf("%+v is accepted", options)
		}
	}
}
