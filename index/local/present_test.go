package local

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/internal/vfs/vfstest"
)

// TestLibraryMovedUnderItsWriter takes the library's folder away while it is open
// for writing: no write is acknowledged, and nothing is made at the old place.
func TestLibraryMovedUnderItsWriter(t *testing.T) {
	ctx := context.Background()
	changes := map[string]func(*vfstest.Memory){
		"removed": func(m *vfstest.Memory) { m.RemoveFolder("/library") },
		"renamed": func(m *vfstest.Memory) { m.RenameFolder("/library", "/elsewhere") },
		"emptied": func(m *vfstest.Memory) { m.RemoveFolder("/library"); indextest.Must(t, m.MkdirAll("/library")) },
		"replaced": func(m *vfstest.Memory) {
			m.RenameFolder("/library", "/elsewhere")
			m.RenameFolder("/other", "/library")
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			fsys := vfstest.NewMemory()
			other := openTest(t, "/other", Options{FileSystem: fsys})
			indextest.Must(t, other.AddSpace(ctx, indextest.Small))
			indextest.Must(t, other.Close())
			library, err := Open(ctx, "/library", Options{FileSystem: fsys, CheckpointBytes: 1})
			indextest.Must(t, err)
			fill(t, library, 6)
			indextest.Must(t, library.Present())
			change(fsys)
			files := func() map[string][]byte {
				found := fsys.Files()
				maps.DeleteFunc(found, func(name string, _ []byte) bool { return !strings.HasPrefix(name, "/library") })
				return found
			}
			before := files()
			for name, write := range map[string]func() error{
				"present": library.Present,
				"tag":     func() error { return library.Tag(ctx, []index.ID{1}, "new") },
				"same":    func() error { return library.Tag(ctx, []index.ID{1}, "test") },
				"put": func() error {
					_, err := library.Write(ctx, index.Batch{Puts: []index.Put{indextest.Image(t, 9, indextest.Small)}})
					return err
				},
				"compact": func() error { _, err := library.Compact(ctx); return err },
				"remove":  func() error { return library.Remove(ctx, 1) },
			} {
				if err := write(); !errors.Is(err, index.ErrMoved) {
					t.Errorf("%s gives %v", name, err)
				}
			}
			snapshot := library.Snapshot()
			if records, _, err := snapshot.List(ctx, index.Filter{}, index.Page{Limit: 10}); err != nil || len(records) != 6 {
				t.Errorf("%d records, %v", len(records), err)
			}
			_ = snapshot.view.thumbs.Write(indextest.Image(t, 1, indextest.Small).Record.Hash, []byte("thumbnail"))
			indextest.Must(t, snapshot.Close())
			indextest.Must(t, library.Close())
			if after := files(); !maps.EqualFunc(before, after, slices.Equal) {
				t.Errorf("at the old place there are %v, before %v", slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
			}
			if name == "renamed" {
				moved := openTest(t, "/elsewhere", Options{FileSystem: fsys})
				if got := moved.Snapshot().Count(index.KindImage); got != 6 || len(moved.Findings()) > 0 {
					t.Errorf("%d records, %v", got, moved.Findings())
				}
			}
		})
	}
}

// TestLibraryPutBack holds that writing goes on when the folder is back.
func TestLibraryPutBack(t *testing.T) {
	fsys := vfstest.NewMemory()
	library := openMemory(t, fsys)
	fill(t, library, 3)
	fsys.RenameFolder("/library", "/elsewhere")
	if err := library.Tag(t.Context(), []index.ID{1}, "new"); !errors.Is(err, index.ErrMoved) {
		t.Fatalf("tagging gives %v", err)
	}
	fsys.RenameFolder("/elsewhere", "/library")
	indextest.Must(t, library.Tag(t.Context(), []index.ID{1}, "new"))
	indextest.Must(t, library.Present())
}

// TestLibraryMovedDuringACommit takes the folder away between the last look and
// the moment in which the commit is durable.
func TestLibraryMovedDuringACommit(t *testing.T) {
	memory := vfstest.NewMemory()
	var armed atomic.Bool
	fsys := &vfstest.Faulty{Base: memory, Fail: func(_ int64, operation vfstest.Operation) error {
		if operation.Verb == "sync" && filepath.Ext(operation.Name) == catalog.LogSuffix && armed.Swap(false) {
			memory.RenameFolder("/library", "/elsewhere")
		}
		return nil
	}}
	library := openMemory(t, fsys)
	fill(t, library, 3)
	armed.Store(true)
	err := library.Tag(t.Context(), []index.ID{1}, "new")
	if !errors.Is(err, index.ErrMoved) || !errors.Is(err, index.ErrWriter) {
		t.Errorf("tagging gives %v", err)
	}
	memory.RenameFolder("/elsewhere", "/library")
	if err := library.Tag(t.Context(), []index.ID{1}, "newer"); !errors.Is(err, index.ErrWriter) {
		t.Errorf("tagging gives %v before the library is opened again", err)
	}
}

// TestLibraryMovedOnDisk does it with a folder of the operating system, where the
// keyword index is on disk too.
func TestLibraryMovedOnDisk(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	library, err := Open(t.Context(), folder, Options{})
	indextest.Must(t, err)
	fill(t, library, 6)
	indextest.Must(t, os.Rename(folder, folder+"-moved"))
	if err := library.Tag(t.Context(), []index.ID{1}, "new"); !errors.Is(err, index.ErrMoved) {
		t.Errorf("tagging gives %v", err)
	}
	indextest.Must(t, library.Close())
	if _, err := os.Lstat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is something at the old place: %v", err)
	}
	moved := openTest(t, folder+"-moved", Options{})
	if got := moved.Snapshot().Count(index.KindImage); got != 6 {
		t.Errorf("%d records", got)
	}
}
