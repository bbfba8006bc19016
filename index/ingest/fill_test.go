package ingest

import (
	"os"
	"path/filepath"
	"testing"

	"mekiki/index"
)

// TestFillReadsWhatWasIndexed replaces a file by a link to another picture before
// a second model is brought in, which must not read that.
func TestFillReadsWhatWasIndexed(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	write(t, testImage(t, 1, 20, 20), photos, "a.png")
	write(t, testImage(t, 2, 20, 20), photos, "b.png")
	library := openLibrary(t, filepath.Join(folder, "library"))
	one, two := newCounting("one"), newCounting("two")
	mustRun(t, library, one, Options{Paths: []string{photos}})
	write(t, testImage(t, 3, 20, 20), folder, "secret.png")
	must(t, os.Remove(filepath.Join(photos, "a.png")))
	if err := os.Symlink(filepath.Join(folder, "secret.png"), filepath.Join(photos, "a.png")); err != nil {
		t.Skip(err)
	}
	summary, err := Fill(t.Context(), library, two, Options{})
	must(t, err)
	snapshot := library.Snapshot()
	defer snapshot.Close()
	if got := snapshot.Count(index.KindImage); summary.Added != 1 || got != 2 {
		t.Errorf("fill: %+v, %d images", summary, got)
	}
}
