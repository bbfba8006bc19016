package local

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/maintain"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

// clocked opens a library in memory whose clock is set by hand.
func clocked(t *testing.T, fsys vfs.FS, now *time.Time, options Options) *Library {
	t.Helper()
	options.FileSystem, options.Now = fsys, func() time.Time { return *now }
	return openTest(t, "/library", options)
}

func tagged(t *testing.T, number uint64, tags ...string) index.Put {
	t.Helper()
	put := indextest.Image(t, number, indextest.Small)
	put.Record.Tags = tags
	return put
}

func mustKept(t *testing.T, library *Library) []index.Kept {
	t.Helper()
	kept, err := library.Kept()
	indextest.Must(t, err)
	return kept
}

func mustRecord(t *testing.T, library *Library, path string) index.Record {
	t.Helper()
	snapshot := library.Snapshot()
	defer snapshot.Close()
	record, there := snapshot.recordByPath(path)
	if !there {
		t.Fatalf("%s is not in the library", path)
	}
	return *record
}

// TestTagsOutliveTheFile: what people gave comes back with the content within 90
// days, through logs, checkpoints, readers and backups, and not after.
func TestTagsOutliveTheFile(t *testing.T) {
	fsys, now := vfstest.NewMemory(), indextest.Time
	library := clocked(t, fsys, &now, Options{CheckpointBytes: 1})
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	mustWrite(t, library, index.Batch{Puts: []index.Put{tagged(t, 1, "grandma", "summer"), tagged(t, 2, "late"), tagged(t, 3)}})
	reader := clocked(t, fsys, &now, Options{ReadOnly: true})

	mustWrite(t, library, index.Batch{Detach: []string{indextest.File(1).Path, indextest.File(3).Path}})
	now = now.AddDate(0, 0, 30)
	mustWrite(t, library, index.Batch{Detach: []string{indextest.File(2).Path}})
	_, err := reader.Refresh(t.Context())
	indextest.Must(t, err)
	for name, each := range map[string]*Library{"writer": library, "reader": reader} {
		kept := mustKept(t, each)
		if len(kept) != 2 || !slices.Equal(kept[0].Tags, []string{"grandma", "summer"}) || kept[0].Path != indextest.File(1).Path || !kept[0].Lost.Equal(indextest.Time) {
			t.Fatalf("the %s keeps %+v", name, kept)
		}
	}
	var archive bytes.Buffer
	indextest.Must(t, library.Backup(t.Context(), &archive))
	indextest.Must(t, errors.Join(reader.Close(), library.Close()))
	restored := filepath.Join(t.TempDir(), "restored")
	indextest.Must(t, maintain.Restore(t.Context(), &archive, restored))
	if kept := mustKept(t, openTest(t, restored, Options{Now: func() time.Time { return now }})); len(kept) != 2 {
		t.Errorf("the backup keeps %+v", kept)
	}

	library = clocked(t, fsys, &now, Options{})
	now = indextest.Time.Add(index.KeptFor)
	if kept := mustKept(t, library); len(kept) != 1 {
		t.Errorf("after 90 days the library keeps %+v", kept)
	}
	back := []index.Put{tagged(t, 1, "new"), tagged(t, 2, "new"), tagged(t, 3)}
	mustWrite(t, library, index.Batch{Puts: back})
	for number, wanted := range map[uint64][]string{1: {"new"}, 2: {"late", "new"}, 3: nil} {
		if got := mustRecord(t, library, indextest.File(number).Path); !slices.Equal(got.Tags, wanted) {
			t.Errorf("image %d has the tags %q, want %q", number, got.Tags, wanted)
		}
	}
	if added := mustRecord(t, library, indextest.File(2).Path).Added; !added.Equal(indextest.Time) {
		t.Errorf("the picture that came back was added %v", added)
	}
	snapshot := library.Snapshot()
	defer snapshot.Close()
	if left := len(snapshot.view.state.Kept); left != 0 {
		t.Errorf("%d entries are left when all is back or forgotten", left)
	}
	wantWhole(t, library)
}

// TestKeptIsBounded: the longest gone make room.
func TestKeptIsBounded(t *testing.T) {
	now := indextest.Time
	library := clocked(t, vfstest.NewMemory(), &now, Options{})
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	mustWrite(t, library, index.Batch{Puts: []index.Put{tagged(t, 1, "a")}})
	indextest.Must(t, library.change(t.Context(), &writeRequest{prepare: func(c *commit) error {
		for i := range maximumKept {
			c.PutKept(index.Kept{Hash: index.Hash{1, byte(i), byte(i >> 8), byte(i >> 16)}, Tags: []string{"x"}, Lost: indextest.Time.Add(time.Duration(i - maximumKept))})
		}
		return nil
	}}))
	mustWrite(t, library, index.Batch{Detach: []string{indextest.File(1).Path}})
	kept := mustKept(t, library)
	first := slices.ContainsFunc(kept, func(k index.Kept) bool { return k.Hash == index.Hash{1} })
	last := slices.ContainsFunc(kept, func(k index.Kept) bool { return k.Path == indextest.File(1).Path })
	if len(kept) != maximumKept-roomKept || first || !last {
		t.Errorf("%d are kept, the oldest among them: %v, the newest: %v", len(kept), first, last)
	}
}
