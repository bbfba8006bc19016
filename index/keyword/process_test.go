package keyword

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// otherProcess names the folder that a second process opens.
const otherProcess = "MEKIKI_TEST_KEYWORD_FOLDER"

// TestOpenInAnotherProcess opens an index in a process that has made none.
func TestOpenInAnotherProcess(t *testing.T) {
	if folder := os.Getenv(otherProcess); folder != "" {
		index, err := Open(folder)
		if err != nil {
			t.Fatal(err)
		}
		defer index.Close()
		if found := ids(t, index, Query{Words: "beach"}); len(found) != 1 {
			t.Errorf("found %d", found)
		}
		return
	}
	folder := filepath.Join(t.TempDir(), "keyword")
	index, err := Create(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := index.Apply(t.Context(), 1, testDocuments(), nil); err != nil {
		t.Fatal(err)
	}
	if err := index.Close(); err != nil {
		t.Fatal(err)
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), executable, "-test.run=^TestOpenInAnotherProcess$")
	command.Env = append(os.Environ(), otherProcess+"="+folder)
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
}
