package local

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/index/local/journal"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

// TestUnfinishedCommitsAreKept: each unfinished end of a log that is cut off is kept,
// also when two begin at the same place, and however long one is.
func TestUnfinishedCommitsAreKept(t *testing.T) {
	files := vfstest.NewMemory()
	library := openMemory(t, files)
	fill(t, library, 2)
	indextest.Must(t, library.Close())
	log := "/library/" + catalog.LogName(1)
	whole := files.Files()[log]
	kept := func() (tails [][]byte) {
		for name, data := range files.Files() {
			if strings.HasPrefix(name, "/library/"+catalog.QuarantineFolder) {
				tails = append(tails, data)
			}
		}
		return tails
	}
	for i, tail := range []string{"one commit", "another", "another"} {
		// Nobody closed the library in order, and it begins to write again.
		files.Put(log, append(bytes.Clone(whole), tail...))
		found, err := catalog.Load(t.Context(), files, "/library")
		indextest.Must(t, err)
		catalog, err := catalog.OpenWriter(files, "/library", found)
		indextest.Must(t, err)
		indextest.Must(t, catalog.Log.Close())
		if tails := kept(); len(tails) != min(i+1, 2) {
			t.Errorf("%q: %d are kept", tail, len(tails))
		}
	}
}

// TestLongUnfinishedEnd: of a long log of which the end is damaged nothing is lost.
func TestLongUnfinishedEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 256 MiB")
	}
	folder := t.TempDir()
	indextest.Must(t, vfs.OS{}.MkdirAll(filepath.Join(folder, catalog.Folder)))
	file, err := vfs.OS{}.Create(filepath.Join(folder, catalog.LogName(1)))
	indextest.Must(t, err)
	const length = journal.MaxPayload + 100
	_, err = file.WriteAt([]byte("end"), 32+length-3)
	indextest.Must(t, errors.Join(err, file.Close()))
	indextest.Must(t, catalog.KeepTail(vfs.OS{}, folder, catalog.LogName(1), 32, length))
	entries, err := vfs.OS{}.ReadDir(filepath.Join(folder, catalog.QuarantineFolder))
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	if info, err := entries[0].Info(); err != nil || info.Size() != length {
		t.Errorf("%d bytes of %d are kept: %v", info.Size(), int64(length), err)
	}
}

// inUse is a file system that refuses, as Windows does, to rename and to remove
// files that are open.
type inUse struct {
	*vfstest.Memory
	mutex sync.Mutex
	open  map[string]int
}

var errInUse = errors.New("the process cannot access the file because it is being used")

type usedFile struct {
	vfs.File
	fsys *inUse
	name string
}

func (f *inUse) wrap(file vfs.File, err error, name string) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.open[name]++
	return &usedFile{file, f, name}, nil
}

func (f *usedFile) Close() error {
	f.fsys.mutex.Lock()
	f.fsys.open[f.name]--
	f.fsys.mutex.Unlock()
	return f.File.Close()
}

func (f *inUse) refuse(names ...string) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, name := range names {
		if f.open[name] > 0 {
			return &fs.PathError{Op: "rename or remove", Path: name, Err: errInUse}
		}
	}
	return nil
}

func (f *inUse) Create(name string) (vfs.File, error) {
	file, err := f.Memory.Create(name)
	return f.wrap(file, err, name)
}

func (f *inUse) Open(name string) (vfs.File, error) {
	file, err := f.Memory.Open(name)
	return f.wrap(file, err, name)
}

func (f *inUse) OpenWrite(name string) (vfs.File, error) {
	file, err := f.Memory.OpenWrite(name)
	return f.wrap(file, err, name)
}

func (f *inUse) Remove(name string) error {
	if err := f.refuse(name); err != nil {
		return err
	}
	return f.Memory.Remove(name)
}

func (f *inUse) Rename(from, to string) error {
	if err := f.refuse(from, to); err != nil {
		return err
	}
	return f.Memory.Rename(from, to)
}

// TestOpenFilesCannotBeRemoved: where files that are open can neither be renamed nor
// removed, checkpoints, compaction and dropping a space work all the same; what a
// snapshot keeps open goes when the library is opened again. All are closed at last.
func TestOpenFilesCannotBeRemoved(t *testing.T) {
	files := &inUse{Memory: vfstest.NewMemory(), open: map[string]int{}}
	options := Options{FileSystem: files, CheckpointBytes: 1000}
	library, err := Open(context.Background(), "/library", options)
	indextest.Must(t, err)
	fill(t, library, 12)
	for _, step := range []step{switchStep(), rollbackStep()} {
		indextest.Must(t, step.do(t, library))
	}
	indextest.Must(t, library.Remove(t.Context(), 1, 2, 3, 4, 5))
	before := segmentsIn(files.Memory)
	if _, err := library.Compact(t.Context()); err != nil {
		t.Error(err)
	}
	indextest.Must(t, library.Remove(t.Context(), 6, 7, 8))
	snapshot := library.Snapshot()
	if _, err := library.Compact(t.Context()); err != nil {
		t.Error(err)
	}
	if err := library.DropSpace(t.Context(), second); err != nil {
		t.Error(err)
	}
	if parts, err := snapshot.parts(t.Context(), 12); err != nil || parts.Count != indextest.Small.Parts {
		t.Errorf("the snapshot: %v", err)
	}
	indextest.Must(t, snapshot.Close())
	indextest.Must(t, library.Close())
	library, err = Open(context.Background(), "/library", options)
	indextest.Must(t, err)
	if after := segmentsIn(files.Memory); after >= before {
		t.Errorf("%d segments of %d are left", after, before)
	}
	if _, checkpoints, err := catalog.Files(files, "/library"); err != nil || len(checkpoints) == 0 {
		t.Errorf("no checkpoint was written: %v", err)
	}
	indextest.Must(t, library.Close())
	for name, count := range files.open {
		if count != 0 {
			t.Errorf("%s is open %d times", name, count)
		}
	}
}
