package local

import (
	"mekiki/embed"
	"mekiki/index"
	"mekiki/internal/vfs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestWritersDoNotWaitForCells: a library that grows until it has cells goes on being
// written to and searched while they are built, and then searches by them.
func TestWritersDoNotWaitForCells(t *testing.T) {
	files := vfs.NewMemory()
	library := openTest(t, "/library", Options{FileSystem: files, keptVectors: 1, celledVectors: 50})
	mustDo(t, library.AddSpace(t.Context(), small))
	search := func() []index.Neighbour {
		snapshot := library.Snapshot()
		defer snapshot.Close()
		found, err := snapshot.NearestImages(t.Context(), unit(3, 2, small.Width).Values, 10, index.Filter{})
		mustDo(t, err)
		return found
	}
	for number := range uint64(60) {
		mustWrite(t, library, index.Batch{Puts: []index.Put{testPut(t, number, small)}})
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

// TestLongestCommit grows a library past the size from which it has cells, with
// MEKIKI_TEST_CELLS=1, and reports the longest commit.
func TestLongestCommit(t *testing.T) {
	if os.Getenv("MEKIKI_TEST_CELLS") == "" {
		t.Skip("set MEKIKI_TEST_CELLS=1: it takes a minute and a gigabyte")
	}
	space := embed.Space{Fingerprint: "model-a", Parts: 16, Width: 256}
	library := openTest(t, filepath.Join(t.TempDir(), "library"), Options{})
	mustDo(t, library.AddSpace(t.Context(), space))
	const batch = 250 // pictures
	longest, at := time.Duration(0), 0
	for vectors := 0; vectors < 360_000; vectors += batch * space.Parts {
		var puts []index.Put
		for number := range uint64(batch) {
			puts = append(puts, testPut(t, uint64(vectors)+number, space))
		}
		started := time.Now()
		mustWrite(t, library, index.Batch{Puts: puts})
		if took := time.Since(started); took > longest {
			longest, at = took, vectors
		}
		snapshot := library.Snapshot()
		_, err := snapshot.NearestImages(t.Context(), unit(3, 1, space.Width).Values, 10, index.Filter{})
		mustDo(t, err)
		snapshot.Close()
	}
	started := time.Now()
	library.background.group.Wait()
	t.Logf("the longest commit of %d pictures took %v, at %d vectors; building went on for %v", batch, longest, at, time.Since(started))
}
