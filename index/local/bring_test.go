package local

import (
	"context"
	"mekiki/index"
	"mekiki/internal/vfs"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cancelling is a vector index that ends somebody's patience at its first change.
type cancelling struct {
	vectorIndex
	cancel func()
}

func (c cancelling) Add(group uint64, vectors []float32) error {
	c.cancel()
	return c.vectorIndex.Add(group, vectors)
}

func nearestIDs(t *testing.T, snapshot *Snapshot) []index.ID {
	t.Helper()
	found, err := snapshot.NearestImages(t.Context(), unit(1, 1, small.Width).Values, 100, index.Filter{})
	if err != nil {
		t.Error(err)
	}
	ids := []index.ID{}
	for _, neighbour := range found {
		ids = append(ids, neighbour.ID)
	}
	slices.Sort(ids)
	return ids
}

func heldIDs(snapshot *Snapshot) []index.ID {
	ids := []index.ID{}
	for record := range snapshot.All() {
		ids = append(ids, record.ID)
	}
	return ids
}

// TestInterruptedSearch: a search that is given up while it brings the vectors up to
// date leaves nothing of its commit to searches of other commits.
func TestInterruptedSearch(t *testing.T) {
	files := vfs.NewMemory()
	writer := openMemory(t, files)
	fill(t, writer, 3)
	reader := openTest(t, "/library", Options{FileSystem: files, ReadOnly: true, DeferVectors: true})
	first := reader.Snapshot()
	defer first.Close()
	nearestIDs(t, first)

	mustWrite(t, writer, index.Batch{Puts: []index.Put{testPut(t, 10, small), testPut(t, 11, small)}})
	store := reader.derived.vectors
	whole := store.images
	store.loaded.Store(false) // so that refreshing does not search
	_, err := reader.Refresh(t.Context())
	mustDo(t, err)
	second := reader.Snapshot()
	defer second.Close()
	ctx, cancel := context.WithCancel(t.Context())
	store.images = cancelling{whole, cancel}
	_, _ = second.NearestImages(ctx, unit(1, 1, small.Width).Values, 100, index.Filter{})
	if ctx.Err() == nil {
		t.Fatal("nothing was brought up to date")
	}
	if store.images != nil {
		store.images = whole
	}
	store.loaded.Store(false)
	mustDo(t, writer.Remove(t.Context(), 4))
	_, err = reader.Refresh(t.Context())
	mustDo(t, err)
	third := reader.Snapshot()
	defer third.Close()
	for _, snapshot := range []*Snapshot{third, first, second} {
		if diff := cmp.Diff(heldIDs(snapshot), nearestIDs(t, snapshot)); diff != "" {
			t.Errorf("commit %d:\n%s", snapshot.Sequence(), diff)
		}
	}
}

// TestDamageOfThePast: vectors that are damaged where only an old snapshot reads them
// cost that snapshot the record and no later one, whether they were replaced since or
// moved by compaction.
func TestDamageOfThePast(t *testing.T) {
	for _, how := range []string{"replaced", "moved"} {
		t.Run(how, func(t *testing.T) {
			files := vfs.NewMemory()
			first := openMemory(t, files)
			fill(t, first, 6)
			mustDo(t, first.Close())
			library := openTest(t, "/library", Options{FileSystem: files, keptVectors: 1, SegmentBytes: 4000})
			old := library.Snapshot()
			defer old.Close()
			nearestIDs(t, old)
			name, content := withDamage(t, files, old, 2)
			damaged, err := files.OpenWrite(name)
			mustDo(t, err)
			switch how {
			case "replaced":
				mustWrite(t, library, index.Batch{Vectors: []index.Vectors{{ID: 2, Space: small, Parts: unit(50, small.Parts, small.Width)}}})
			case "moved":
				mustDo(t, library.Remove(t.Context(), 6))
				_, err := library.Compact(t.Context())
				mustDo(t, err)
			}
			_, err = damaged.WriteAt(content, 0)
			mustDo(t, err)
			if diff := cmp.Diff([]index.ID{1, 3, 4, 5, 6}, nearestIDs(t, old)); diff != "" {
				t.Errorf("the old snapshot:\n%s", diff)
			}
			for range 2 {
				mustWrite(t, library, index.Batch{Tags: []index.TagChange{{ID: 1, Add: []string{"x"}}}})
				mustWrite(t, library, index.Batch{Tags: []index.TagChange{{ID: 1, Remove: []string{"x"}}}})
				now := library.Snapshot()
				if diff := cmp.Diff(heldIDs(now), nearestIDs(t, now)); diff != "" {
					t.Errorf("the snapshot of now:\n%s", diff)
				}
				if diff := cmp.Diff([]index.ID{1, 3, 4, 5, 6}, nearestIDs(t, old)); diff != "" {
					t.Errorf("the old snapshot again:\n%s", diff)
				}
				mustDo(t, now.Close())
			}
		})
	}
}

// TestDamageWhileLoading: a search that meets damage after the loading of another one
// was given up, which leaves nothing loaded, loads again.
func TestDamageWhileLoading(t *testing.T) {
	files := vfs.NewMemory()
	first := openMemory(t, files)
	fill(t, first, 6)
	mustDo(t, first.Close())
	library := openTest(t, "/library", Options{FileSystem: files, keptVectors: 1})
	snapshot := library.Snapshot()
	defer snapshot.Close()
	nearestIDs(t, snapshot)
	name, content := withDamage(t, files, snapshot, 2)
	mustDo(t, writeAt(files, name, content))
	store := library.derived.vectors
	store.images, store.texts, store.at = nil, nil, table[location]{}
	if diff := cmp.Diff([]index.ID{1, 3, 4, 5, 6}, nearestIDs(t, snapshot)); diff != "" {
		t.Error(diff)
	}
}

// TestTextInPlaceOfImage: a record that was an image and is a text is found as a text
// only.
func TestTextInPlaceOfImage(t *testing.T) {
	library := openMemory(t, vfs.NewMemory())
	mustDo(t, library.AddSpace(t.Context(), small))
	image := testPut(t, 1, small)
	image.Record.ExternalID = "x"
	mustWrite(t, library, index.Batch{Puts: []index.Put{image}})
	mustWrite(t, library, index.Batch{Puts: []index.Put{{
		Record:  index.Record{Kind: index.KindText, Hash: index.Hash{1}, Text: "a dog", ExternalID: "x"},
		Vectors: index.Vectors{Space: small, Parts: unit(5, 1, small.Width)},
	}}})
	snapshot := library.Snapshot()
	defer snapshot.Close()
	if images := nearestIDs(t, snapshot); len(images) > 0 {
		t.Errorf("images %v", images)
	}
	texts, err := snapshot.NearestTexts(t.Context(), unit(5, 1, small.Width).Values, 5, index.Filter{})
	if err != nil || len(texts) != 1 || texts[0].ID != 1 {
		t.Errorf("texts %v, %v", texts, err)
	}
}
