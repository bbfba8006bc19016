package local

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

var errPromote = errors.New("the disk has enough")

// TestReaderBecomesWriter: while the writer is there a reader cannot take its place; once it is gone it can, with what it
// wrote last, keeps its vectors and the snapshots taken before, and writes.
func TestReaderBecomesWriter(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	writer := openTest(t, folder, Options{})
	fill(t, writer, 6)
	reader := openTest(t, folder, Options{ReadOnly: true})
	if err := reader.Promote(t.Context()); !errors.Is(err, index.ErrLocked) {
		t.Fatalf("beside a writer: %v", err)
	}
	if err := reader.Tag(t.Context(), []index.ID{1}, "x"); !errors.Is(err, index.ErrReadOnly) {
		t.Fatalf("still a reader: %v", err)
	}
	earlier := reader.Snapshot()
	mustWrite(t, writer, index.Batch{Puts: []index.Put{indextest.Image(t, 20, indextest.Small)}})
	indextest.Must(t, writer.Close())
	vectors := reader.derived.vectors
	indextest.Must(t, reader.Promote(t.Context()))
	indextest.Must(t, reader.Promote(t.Context()))
	if reader.derived.vectors != vectors {
		t.Error("the vectors were read anew")
	}
	if earlier.Count(index.KindImage) != 6 {
		t.Errorf("a snapshot of before has %d images", earlier.Count(index.KindImage))
	}
	indextest.Must(t, earlier.Close())
	indextest.Must(t, reader.Tag(t.Context(), []index.ID{1}, "mine"))
	mustWrite(t, reader, index.Batch{Puts: []index.Put{indextest.Image(t, 21, indextest.Small)}})
	if _, err := Open(t.Context(), folder, Options{}); !errors.Is(err, index.ErrLocked) {
		t.Errorf("a second writer: %v", err)
	}
	before := answers(t, reader)
	if _, err := reader.Compact(t.Context()); err != nil {
		t.Error(err)
	}
	indextest.Must(t, reader.Close())
	again := openTest(t, folder, Options{})
	if diff := cmp.Diff(before, answers(t, again)); diff != "" {
		t.Errorf("opened again:\n%s", diff)
	}
}

// TestPromoteFails: whatever operation fails on the way, the library reads on, its lock is free, and the next try succeeds.
func TestPromoteFails(t *testing.T) {
	memory := vfstest.NewMemory()
	open := func(files vfs.FS, options Options) *Library {
		options.FileSystem, options.Now = files, func() time.Time { return indextest.Time }
		library, err := Open(t.Context(), "/library", options)
		indextest.Must(t, err)
		return library
	}
	writer := open(memory, Options{})
	fill(t, writer, 4)
	indextest.Must(t, writer.Close())
	for number := int64(1); ; number++ {
		copied := vfstest.NewMemory()
		for name, data := range memory.Files() {
			copied.Put(name, data)
		}
		files := &vfstest.Faulty{Base: copied}
		reader := open(files, Options{ReadOnly: true})
		want := answers(t, reader)
		first := files.Count()
		files.Fail = func(n int64, _ vfstest.Operation) error {
			if n == first+number {
				return errPromote
			}
			return nil
		}
		err := reader.Promote(t.Context())
		reached := files.Count()-first >= number
		files.Fail = nil
		if diff := cmp.Diff(want, answers(t, reader)); diff != "" {
			t.Fatalf("operation %d (%v):\n%s", number, err, diff)
		}
		if err != nil {
			if !errors.Is(reader.Tag(t.Context(), []index.ID{1}, "x"), index.ErrReadOnly) {
				t.Fatalf("operation %d: a reader that failed (%v) writes", number, err)
			}
			indextest.Must(t, reader.Promote(t.Context()))
		}
		indextest.Must(t, reader.Tag(t.Context(), []index.ID{1}, "x"))
		indextest.Must(t, reader.Close())
		if !reached {
			if number < 5 {
				t.Errorf("only %d operations", number)
			}
			return
		}
	}
}

// TestPromoteMakesNoLibrary: where the library is gone, none is made.
func TestPromoteMakesNoLibrary(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	writer := openTest(t, folder, Options{})
	fill(t, writer, 2)
	indextest.Must(t, writer.Close())
	reader := openTest(t, folder, Options{ReadOnly: true})
	indextest.Must(t, os.Rename(folder, folder+".away"))
	if err := reader.Promote(t.Context()); !errors.Is(err, index.ErrMoved) {
		t.Errorf("promoted: %v", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is something: %v", err)
	}
}

// TestPromoteUnderReaders: reads and attempts to write go on while the library becomes the writer.
func TestPromoteUnderReaders(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	writer := openTest(t, folder, Options{})
	fill(t, writer, 4)
	indextest.Must(t, writer.Close())
	reader := openTest(t, folder, Options{ReadOnly: true})
	var group sync.WaitGroup
	wrote := make(chan struct{})
	group.Go(func() {
		defer close(wrote)
		for {
			switch err := reader.Tag(t.Context(), []index.ID{1}, "x"); {
			case err == nil:
				return
			case !errors.Is(err, index.ErrReadOnly):
				t.Error(err)
				return
			}
		}
	})
	group.Go(func() {
		for {
			select {
			case <-wrote:
				return
			default:
			}
			if err := reader.Present(); err != nil {
				t.Error(err)
			}
			snapshot := reader.Snapshot()
			if count := snapshot.Count(index.KindImage); count != 4 {
				t.Errorf("%d images", count)
			}
			indextest.Must(t, snapshot.Close())
			if _, err := reader.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	indextest.Must(t, reader.Promote(t.Context()))
	group.Wait()
}
