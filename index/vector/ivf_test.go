package vector

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// listsOf gives the inverted lists of a view, without postings where it has none.
func listsOf(view *View) *ivf {
	if lists, ok := view.proposer.(*ivf); ok {
		return lists
	}
	return &ivf{}
}

// checkLists compares the inverted lists of a view with its groups.
func checkLists(t *testing.T, view *View) {
	t.Helper()
	there, count := map[uint64]bool{}, 0
	for number, list := range listsOf(view).lists {
		if list.saved == nil && len(list.codes) != len(list.postings)*view.stride || len(list.postings) > listsOf(view).maxLength() {
			t.Fatalf("list %d has %d postings and %d bytes", number, len(list.postings), len(list.codes))
		}
		count += len(list.postings)
		for _, at := range list.postings {
			if entry, number := view.content.at(at); !view.content.removed.Has(number) {
				there[entry.group] = true
			}
		}
	}
	if len(there) != view.Len() || count != listsOf(view).postings || len(listsOf(view).centroids.scales) != len(listsOf(view).lists) {
		t.Fatalf("%d of %d groups, %d of %d postings, %d centroids of %d lists",
			len(there), view.Len(), count, listsOf(view).postings, len(listsOf(view).centroids.scales), len(listsOf(view).lists))
	}
}

// TestListsSplit adds and removes while lists split, and searches under filters, also
// in a view from before.
func TestListsSplit(t *testing.T) {
	index, data := newApproximate(testWidth), newClustered(6, 40)
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
			checkLists(t, index.index.View())
		}
		if group == 1999 {
			early = index.index.View()
		}
	}
	lists := len(listsOf(early).lists)
	checkLists(t, early)
	if late := index.index.View(); len(listsOf(late).lists) < 2*lists {
		t.Errorf("%d lists, and %d of a third of the groups", len(listsOf(late).lists), lists)
	}
	for _, part := range []uint64{1, 2, 30, 2000} {
		allow := func(group uint64) bool { return group%part == 0 }
		t.Run(fmt.Sprintf("one of %d", part), func(t *testing.T) {
			checkRecall(t, index.index.View(), data, allow)
		})
	}
}

// checkRecall probes the lists, with one vector and with many.
func checkRecall(t *testing.T, view *View, data *clustered, allow func(uint64) bool) {
	recall := 0.0
	const searches = 12
	for i := range searches {
		queries := data.group(1 + i%3*10)
		want, err := view.SearchExact(t.Context(), queries, 10, allowing(view, allow))
		if err != nil {
			t.Fatal(err)
		}
		got, err := view.approximate(t.Context(), queries, min(10, len(want)), allowing(view, allow))
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
	index, err := New(Options{Width: testWidth, Values: func(group uint64, rows []int) ([]float32, error) {
		if values, there := exact.groups[group]; there {
			return rowsOf(values, testWidth, rows), nil
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
