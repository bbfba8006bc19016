package local

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/nearest"
	"mekiki/index/vector"
	"mekiki/internal/vfs/vfstest"
)

// interrupted makes vector indexes that call what it points to, unless that is nil, at
// every change.
func interrupted(interrupt *context.CancelFunc) func(vector.Options, bool) (nearest.Index, error) {
	return func(options vector.Options, keep bool) (nearest.Index, error) {
		made, err := nearest.NewIndex(options, keep)
		return interruptedIndex{made, interrupt}, err
	}
}

type interruptedIndex struct {
	nearest.Index
	interrupt *context.CancelFunc
}

func (x interruptedIndex) Add(group uint64, vectors []float32) error {
	if *x.interrupt != nil {
		(*x.interrupt)()
	}
	return x.Index.Add(group, vectors)
}

func nearestIDs(t *testing.T, snapshot *Snapshot) []index.ID {
	t.Helper()
	found, err := snapshot.NearestImages(t.Context(), indextest.Unit(1, 1, indextest.Small.Width).Values, 100, index.Filter{})
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
	for record := range snapshot.all() {
		ids = append(ids, record.ID)
	}
	return ids
}

// refreshInterrupted gives the reader two more pictures, and interrupts it while it
// brings its vectors up to date.
func refreshInterrupted(t *testing.T, writer, reader *Library, interrupt *context.CancelFunc) {
	t.Helper()
	mustWrite(t, writer, index.Batch{Puts: []index.Put{indextest.Image(t, 10, indextest.Small), indextest.Image(t, 11, indextest.Small)}})
	ctx, cancel := context.WithCancel(t.Context())
	*interrupt = cancel
	_, err := reader.Refresh(ctx)
	indextest.Must(t, err)
	if ctx.Err() == nil {
		t.Fatal("nothing was brought up to date")
	}
	*interrupt = nil
}

// TestInterruptedSearch: a search that is given up while it brings the vectors up to
// date leaves nothing of its commit to searches of other commits.
func TestInterruptedSearch(t *testing.T) {
	files := vfstest.NewMemory()
	writer := openMemory(t, files)
	fill(t, writer, 3)
	reader := openTest(t, "/library", Options{FileSystem: files, ReadOnly: true, DeferVectors: true})
	interrupt := context.CancelFunc(nil)
	reader.host.NewIndex = interrupted(&interrupt)
	first := reader.Snapshot()
	defer first.Close()
	nearestIDs(t, first)

	refreshInterrupted(t, writer, reader, &interrupt)
	second := reader.Snapshot()
	defer second.Close()
	indextest.Must(t, writer.Remove(t.Context(), 4))
	_, err := reader.Refresh(t.Context())
	indextest.Must(t, err)
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
			files := vfstest.NewMemory()
			first := openMemory(t, files)
			fill(t, first, 6)
			indextest.Must(t, first.Close())
			library := openTest(t, "/library", Options{FileSystem: files, keptVectors: 1, SegmentBytes: 4000})
			old := library.Snapshot()
			defer old.Close()
			nearestIDs(t, old)
			name, content := withDamage(t, files, old, 2)
			damaged, err := files.OpenWrite(name)
			indextest.Must(t, err)
			switch how {
			case "replaced":
				mustWrite(t, library, index.Batch{Vectors: []index.Vectors{{ID: 2, Space: indextest.Small, Parts: indextest.Unit(50, indextest.Small.Parts, indextest.Small.Width)}}})
			case "moved":
				indextest.Must(t, library.Remove(t.Context(), 6))
				_, err := library.Compact(t.Context())
				indextest.Must(t, err)
			}
			_, err = damaged.WriteAt(content, 0)
			indextest.Must(t, err)
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
				indextest.Must(t, now.Close())
			}
		})
	}
}

// TestDamageWhileLoading: a search that meets damage after the loading of another one
// was given up, which leaves nothing loaded, loads again.
func TestDamageWhileLoading(t *testing.T) {
	files := vfstest.NewMemory()
	writer := openMemory(t, files)
	fill(t, writer, 6)
	library := openTest(t, "/library", Options{FileSystem: files, ReadOnly: true, DeferVectors: true, keptVectors: 1})
	interrupt := context.CancelFunc(nil)
	library.host.NewIndex, library.host.FewChanges = interrupted(&interrupt), 1
	snapshot := library.Snapshot()
	defer snapshot.Close()
	nearestIDs(t, snapshot)
	refreshInterrupted(t, writer, library, &interrupt)
	name, content := withDamage(t, files, snapshot, 2)
	indextest.Must(t, writeAt(files, name, content))
	if diff := cmp.Diff([]index.ID{1, 3, 4, 5, 6}, nearestIDs(t, snapshot)); diff != "" {
		t.Error(diff)
	}
}

// TestTextInPlaceOfImage: a record that was an image and is a text is found as a text
// only.
func TestTextInPlaceOfImage(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	image := indextest.Image(t, 1, indextest.Small)
	image.Record.ExternalID = "x"
	mustWrite(t, library, index.Batch{Puts: []index.Put{image}})
	mustWrite(t, library, index.Batch{Puts: []index.Put{{
		Record:  index.Record{Kind: index.KindText, Hash: index.Hash{1}, Text: "a dog", ExternalID: "x"},
		Vectors: index.Vectors{Space: indextest.Small, Parts: indextest.Unit(5, 1, indextest.Small.Width)},
	}}})
	snapshot := library.Snapshot()
	defer snapshot.Close()
	if images := nearestIDs(t, snapshot); len(images) > 0 {
		t.Errorf("images %v", images)
	}
	texts, err := snapshot.NearestTexts(t.Context(), indextest.Unit(5, 1, indextest.Small.Width).Values, 5, index.Filter{})
	if err != nil || len(texts) != 1 || texts[0].ID != 1 {
		t.Errorf("texts %v, %v", texts, err)
	}
}
