package vfstest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"mekiki/internal/vfs"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestIsAt asks whether a name still means an open file, on disk and in memory.
func TestIsAt(t *testing.T) {
	memory := NewMemory()
	must(t, memory.MkdirAll("/root"))
	for name, system := range map[string]struct {
		fsys         vfs.FS
		root         string
		renameFolder func(from, to string)
	}{
		"disk":   {vfs.OS{}, t.TempDir(), func(from, to string) { must(t, os.Rename(from, to)) }},
		"memory": {memory, "/root", memory.RenameFolder},
		"faulty": {&Faulty{Base: vfs.OS{}}, t.TempDir(), func(from, to string) { must(t, os.Rename(from, to)) }},
	} {
		t.Run(name, func(t *testing.T) {
			fsys, folder := system.fsys, filepath.Join(system.root, "folder")
			if err := fsys.Mkdir(filepath.Join(folder, "deeper")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a folder in none: %v", err)
			}
			must(t, fsys.Mkdir(folder))
			must(t, fsys.Mkdir(folder)) // it is there
			path := filepath.Join(folder, "file")
			file, err := fsys.Create(path)
			must(t, err)
			defer file.Close()
			check := func(what string, want bool) {
				t.Helper()
				if got, err := file.IsAt(path); got != want || err != nil {
					t.Errorf("%s: %v, %v", what, got, err)
				}
			}
			check("as it was", true)
			system.renameFolder(folder, folder+"-away")
			check("its folder renamed", false)
			must(t, fsys.Mkdir(folder))
			other, err := fsys.Create(path)
			must(t, err)
			must(t, other.Close())
			check("its folder replaced", false)
			must(t, fsys.Remove(path))
			must(t, fsys.Remove(folder))
			system.renameFolder(folder+"-away", folder)
			check("put back", true)
			must(t, fsys.Remove(path))
			check("removed", false)
		})
	}
}
