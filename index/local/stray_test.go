package local

import (
	"os"
	"path/filepath"
	"testing"
)

// TestStrayFilesAreLeftAlone: file managers leave files of their own wherever they
// look. The library opens all the same, and removes none of them.
func TestStrayFilesAreLeftAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	library := openTest(t, folder, Options{})
	fill(t, library, 3)
	before := answers(t, library)
	mustDo(t, library.Close())
	var strays []string
	for _, place := range []string{".", catalogFolder, "spaces", filepath.Join("spaces", "0001"), derivedFolder} {
		name := filepath.Join(folder, place, ".DS_Store")
		mustDo(t, os.WriteFile(name, []byte("x"), 0o644))
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
