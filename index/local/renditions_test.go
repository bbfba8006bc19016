package local

import (
	"os"
	"path/filepath"
	"testing"

	"mekiki/index/indextest"
	"mekiki/index/renditions"
)

// TestCompactForgetsRenditions: the larger pictures of records that are gone go with the rest of them, and
// nothing else does.
func TestCompactForgetsRenditions(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	library := openTest(t, folder, Options{})
	fill(t, library, 4)
	indextest.Must(t, library.Remove(t.Context(), 2))
	kept := map[string]bool{}
	for number := range uint64(4) {
		name := indextest.Image(t, number, indextest.Small).Record.Hash.String()
		for _, suffix := range []string{".1600", ".tiles", ".other"} {
			path := filepath.Join(renditions.FolderOf(library.DerivedFolder()), name[:2], name+suffix)
			indextest.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
			indextest.Must(t, os.WriteFile(path, []byte("x"), 0o600))
			kept[path] = number != 1 || suffix == ".other"
		}
	}
	_, err := library.Compact(t.Context())
	indextest.Must(t, err)
	report, err := library.Check(t.Context())
	indextest.Must(t, err)
	if len(report.Findings) > 0 {
		t.Errorf("%+v", report.Findings)
	}
	for path, want := range kept {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}
