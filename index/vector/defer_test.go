package vector

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestListsAreBuiltInTheBackground: while lists are built, views are exact and the index
// goes on changing; then it searches by them, with what was added since.
func TestListsAreBuiltInTheBackground(t *testing.T) {
	const width = 16
	index, err := New(Options{Width: width, Method: IVF})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 6))
	add := func(from, to uint64) {
		for group := from; group < to; group++ {
			row := make([]float32, width)
			for i := range row {
				row[i] = float32(random.NormFloat64())
			}
			normalize(row)
			if err := index.Add(group, row); err != nil {
				t.Fatal(err)
			}
		}
	}
	index.Defer(true)
	add(0, 3000)
	if view := index.View(); listsOf(view).postings != 0 {
		t.Fatal("a view waited for the lists")
	}
	pending := index.Pending()
	if pending == nil {
		t.Fatal("there is nothing to build")
	}
	add(3000, 3200) // meanwhile
	for group := uint64(0); group < 100; group++ {
		index.Remove(group)
	}
	index.View()
	pending.Run(func() bool { return false })
	if !index.Adopt(pending) {
		t.Fatal("the lists were not adopted")
	}
	if index.Pending() != nil {
		t.Error("there is still something to build")
	}
	view := index.View()
	if listsOf(view).postings == 0 || view.content.listed != view.content.entries {
		t.Errorf("%d postings, %d of %d entries listed", listsOf(view).postings, view.content.listed, view.content.entries)
	}
	query := make([]float32, width)
	query[0] = 1
	exact, err := view.SearchExact(context.Background(), query, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	found, err := view.Search(context.Background(), query, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exact, found); diff != "" {
		t.Errorf("by inverted lists:\n%s", diff)
	}

	// What was stopped, or is of entries that were numbered anew, is not taken.
	add(10_000, 20_000)
	if index.View(); index.Pending() == nil {
		t.Fatal("there is nothing to build after the index more than doubled")
	}
	stopped := index.Pending()
	stopped.Run(func() bool { return true })
	if index.Adopt(stopped) {
		t.Error("lists that were not finished were adopted")
	}
	old := index.Pending()
	old.Run(func() bool { return false })
	for group := uint64(0); group < 18_000; group++ {
		index.Remove(group)
	}
	if index.Adopt(old) {
		t.Error("lists of renumbered entries were adopted")
	}
}

func normalize(row []float32) {
	var sum float64
	for _, value := range row {
		sum += float64(value) * float64(value)
	}
	for i := range row {
		row[i] /= float32(math.Sqrt(sum))
	}
}

// TestGraphIsUsedUntilListsAreBuilt: an index that has grown beyond what a graph is for finds by the
// graph, and saves that as a graph, until the lists are there.
func TestGraphIsUsedUntilListsAreBuilt(t *testing.T) {
	index := again(t, HNSW, 500)
	index.View()
	index.Defer(true)
	index.options.Method = IVF // as Automatic has it from ListsFrom vectors on
	view := index.View()
	var saved bytes.Buffer
	if err := view.Save(&saved); err != nil {
		t.Fatal(err)
	}
	if view.Method() != HNSW || !bytes.HasPrefix(saved.Bytes(), []byte(graphMagic)) {
		t.Errorf("the view finds by %s and saves %q", view.Method(), saved.Bytes()[:8])
	}
	pending := index.Pending()
	if pending == nil {
		t.Fatal("no lists are to be built")
	}
	pending.Run(func() bool { return false })
	if !index.Adopt(pending) || index.Pending() != nil {
		t.Fatal("the lists were not adopted")
	}
	if view := index.View(); view.Method() != IVF || listsOf(view).postings == 0 {
		t.Errorf("the view finds by %s, in %d postings", view.Method(), listsOf(view).postings)
	}
}
