package index

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/internal/vfs"
)

// TestWritersDoNotWaitForCells: a library that grows until it has cells goes on being
// written to and searched while they are built, and then searches by them.
func TestWritersDoNotWaitForCells(t *testing.T) {
	files := vfs.NewMemory()
	library := openTest(t, "/library", Options{FileSystem: files, keptVectors: 1, celledVectors: 50})
	mustDo(t, library.AddSpace(t.Context(), small))
	search := func() []Neighbour {
		snapshot := library.Snapshot()
		defer snapshot.Close()
		found, err := snapshot.NearestImages(t.Context(), unit(3, 2, small.Width).Values, 10, Filter{})
		mustDo(t, err)
		return found
	}
	for number := range uint64(60) {
		mustWrite(t, library, Batch{Puts: []Put{testPut(t, number, small)}})
		search() // so that the vectors are in use, and each commit brings them along
	}
	library.background.group.Wait()
	store := library.derived.vectors
	store.turn <- struct{}{}
	pending := store.images.Pending()
	<-store.turn
	if pending != nil {
		t.Error("cells were not built, or not taken into use")
	}
	got := search()
	mustDo(t, library.Close())
	exact := openTest(t, "/library", Options{FileSystem: files})
	library = exact
	if diff := cmp.Diff(search(), got); diff != "" {
		t.Errorf("by cells:\n%s", diff)
	}
}
