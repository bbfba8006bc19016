package local

import (
	"context"
	"errors"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/nearest"
	"mekiki/index/vector"
	"mekiki/internal/vfs/vfstest"
)

// TestFirstLoadingIsCalledOff: when the first loading of vectors is called off while it reads those of a few new records, the
// next one reads no more than if there had been none.
func TestFirstLoadingIsCalledOff(t *testing.T) {
	files := vfstest.NewMemory()
	options := Options{FileSystem: files, keptVectors: 1, approximateFrom: 6}
	library := openTest(t, "/library", options)
	fill(t, library, 40)
	for range 2 { // closing saves what spares the next opening some reading
		indextest.Must(t, library.Close())
		library = openTest(t, "/library", options)
	}
	indextest.Must(t, library.Close())
	options.DeferVectors = true
	library = openTest(t, "/library", options)
	mustWrite(t, library, index.Batch{Puts: []index.Put{indextest.Image(t, 100, indextest.Small)}})
	indextest.Must(t, library.Close())

	options.ReadOnly = true
	undisturbed := addedBySearch(t, options, 0)
	if disturbed := addedBySearch(t, options, 20); disturbed != undisturbed {
		t.Errorf("%d images are added after a loading that was called off, %d without it", disturbed, undisturbed)
	}
}

// addedBySearch opens a library, calls off loadings of its vectors, and counts the images that a search then adds to the index.
func addedBySearch(t *testing.T, options Options, calledOff int) int {
	t.Helper()
	library := openTest(t, "/library", options)
	added := 0
	library.host.NewIndex = func(options vector.Options, keep bool) (nearest.Index, error) {
		made, err := nearest.NewIndex(options, keep)
		return countedIndex{made, &added}, err
	}
	snapshot := library.Snapshot()
	ended, end := context.WithCancel(t.Context())
	end()
	for range calledOff { // whether one that has ended begins to load is left to chance
		if _, err := snapshot.view.nearest.Indexes(ended); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	found, err := snapshot.NearestImages(t.Context(), indextest.Unit(1, 1, indextest.Small.Width).Values, 50, index.Filter{})
	indextest.Must(t, err)
	if len(found) != 41 {
		t.Errorf("%d of 41 found", len(found))
	}
	indextest.Must(t, snapshot.Close())
	indextest.Must(t, library.Close())
	return added
}

// countedIndex counts what is added.
type countedIndex struct {
	nearest.Index
	added *int
}

func (c countedIndex) Add(group uint64, vectors []float32) error {
	*c.added++
	return c.Index.Add(group, vectors)
}
