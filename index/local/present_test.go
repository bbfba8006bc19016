package local

import (
	"context"
	"errors"
	"maps"
	"mekiki/index"
	"mekiki/internal/vfs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// TestLibraryMovedUnderItsWriter takes the library's folder away while it is open
// for writing: no write is acknowledged, and nothing is made at the old place.
func TestLibraryMovedUnderItsWriter(t *testing.T) {
	ctx := context.Background()
	changes := map[string]func(*vfs.Memory){
		"removed":  func(m *vfs.Memory) { m.RemoveFolder("/library") },
		"renamed":  func(m *vfs.Memory) { m.RenameFolder("/library", "/elsewhere") },
		"emptied":  func(m *vfs.Memory) { m.RemoveFolder("/library"); mustDo(t, m.MkdirAll("/library")) },
		"replaced": func(m *vfs.Memory) { m.RenameFolder("/library", "/elsewhere"); m.RenameFolder("/other", "/library") },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			fsys := vfs.NewMemory()
			other := openTest(t, "/other", Options{FileSystem: fsys})
			mustDo(t, other.AddSpace(ctx, small))
			mustDo(t, other.Close())
			library, err := Open(ctx, "/library", Options{FileSystem: fsys, CheckpointBytes: 1})
			mustDo(t, err)
			fill(t, library, 6)
			mustDo(t, library.Present())
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
					_, err := library.Write(ctx, index.Batch{Puts: []index.Put{testPut(t, 9, small)}})
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
			if records, _, err := snapshot.Records(ctx, index.Filter{}, index.Page{Limit: 10}); err != nil || len(records) != 6 {
				t.Errorf("%d records, %v", len(records), err)
			}
			_ = snapshot.view.thumbs.write(testPut(t, 1, small).Record.Hash, []byte("thumbnail"))
			mustDo(t, snapshot.Close())
			mustDo(t, library.Close())
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
	fsys := vfs.NewMemory()
	library := openMemory(t, fsys)
	fill(t, library, 3)
	fsys.RenameFolder("/library", "/elsewhere")
	if err := library.Tag(t.Context(), []index.ID{1}, "new"); !errors.Is(err, index.ErrMoved) {
		t.Fatalf("tagging gives %v", err)
	}
	fsys.RenameFolder("/elsewhere", "/library")
	mustDo(t, library.Tag(t.Context(), []index.ID{1}, "new"))
	mustDo(t, library.Present())
}

// TestLibraryMovedDuringACommit takes the folder away between the last look and
// the moment in which the commit is durable.
func TestLibraryMovedDuringACommit(t *testing.T) {
	memory := vfs.NewMemory()
	var armed atomic.Bool
	fsys := &vfs.Faulty{Base: memory, Fail: func(_ int64, operation vfs.Operation) error {
		if operation.Verb == "sync" && filepath.Ext(operation.Name) == logSuffix && armed.Swap(false) {
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
	mustDo(t, err)
	fill(t, library, 6)
	mustDo(t, os.Rename(folder, folder+"-moved"))
	if err := library.Tag(t.Context(), []index.ID{1}, "new"); !errors.Is(err, index.ErrMoved) {
		t.Errorf("tagging gives %v", err)
	}
	mustDo(t, library.Close())
	if _, err := os.Lstat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is something at the old place: %v", err)
	}
	moved := openTest(t, folder+"-moved", Options{})
	if got := moved.Snapshot().Count(index.KindImage); got != 6 {
		t.Errorf("%d records", got)
	}
}
