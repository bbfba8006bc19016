package local

import (
	"os"
	"path/filepath"
	"testing"

	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/index/local/segment"
)

// TestStrayFilesAreLeftAlone: file managers leave files of their own wherever they
// look. The library opens all the same, and removes none of them.
func TestStrayFilesAreLeftAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	library := openTest(t, folder, Options{})
	fill(t, library, 3)
	before := answers(t, library)
	indextest.Must(t, library.Close())
	var strays []string
	for _, place := range []string{".", catalog.Folder, segment.Folder, filepath.Join(segment.Folder, "0001"), catalog.DerivedFolder} {
		name := filepath.Join(folder, place, ".DS_Store")
		indextest.Must(t, os.WriteFile(name, []byte("x"), 0o644))
		strays = append(strays, name)
	}
	again := openTest(t, folder, Options{})
	if diff := compareAnswers(before, answers(t, again)); diff != "" {
		t.Errorf("answers differ beside stray files:\n%s", diff)
	}
	for _, name := range strays {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}
