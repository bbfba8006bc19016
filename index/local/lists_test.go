package local

import (
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/vector"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

// counted is a file system that counts the files of derived vectors that are open.
type counted struct {
	vfs.FS
	opened, open atomic.Int64
}

func (c *counted) Open(name string) (vfs.File, error) {
	file, err := c.FS.Open(name)
	if err != nil || !strings.Contains(filepath.ToSlash(name), "derived/vectors/") {
		return file, err
	}
	c.opened.Add(1)
	c.open.Add(1)
	return &countedFile{file, c}, nil
}

type countedFile struct {
	vfs.File
	by *counted
}

func (f *countedFile) Close() error {
	f.by.open.Add(-1)
	return f.File.Close()
}

// TestListsAreClosed: files of lists and codes that searches read are closed with the library, also where the vectors are in memory.
func TestListsAreClosed(t *testing.T) {
	for name, kept := range map[string]int{"in memory": 0, "in segments": 1} {
		t.Run(name, func(t *testing.T) {
			files := &counted{FS: vfstest.NewMemory()}
			options := Options{FileSystem: files, Method: vector.IVF, keptVectors: kept}
			library := openTest(t, "/library", options)
			fill(t, library, 12)
			indextest.Must(t, library.Close())
			library = openTest(t, "/library", options)
			snapshot := library.Snapshot()
			_, err := snapshot.NearestImages(t.Context(), indextest.Unit(1, 1, indextest.Small.Width).Values, 1, index.Filter{})
			indextest.Must(t, err)
			indextest.Must(t, snapshot.Close())
			indextest.Must(t, library.Close())
			if files.opened.Load() == 0 || files.open.Load() != 0 {
				t.Errorf("%d of %d files are still open", files.open.Load(), files.opened.Load())
			}
		})
	}
}
