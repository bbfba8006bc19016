package ingest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"mekiki/index"
	"mekiki/index/ingest/drives"
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

// TestFilesThatBecomeLinks holds that a file which became a link after it was found
// is not read, unless links are followed.
func TestFilesThatBecomeLinks(t *testing.T) {
	folder := t.TempDir()
	write(t, testImage(t, 3, 20, 20), folder, "secret.png")
	link := filepath.Join(folder, "a.png")
	if err := os.Symlink(filepath.Join(folder, "secret.png"), link); err != nil {
		t.Skip(err)
	}
	if _, _, err := drives.ReadStable(index.File{Path: link}, false); !errors.Is(err, drives.ErrChanging) {
		t.Errorf("a link: %v", err)
	}
	if data, _, err := drives.ReadStable(index.File{Path: link}, true); err != nil || len(data) == 0 {
		t.Errorf("a link that may be followed: %d bytes, %v", len(data), err)
	}
	for _, test := range []struct {
		run  run
		want bool
	}{
		{run{roots: []string{folder}}, false}, {run{roots: []string{link}}, true}, {run{}, true},
		{run{roots: []string{folder}, options: Options{FollowSymlinks: true}}, true},
	} {
		if got := test.run.mayFollow(link); got != test.want {
			t.Errorf("roots %v: %v", test.run.roots, got)
		}
	}
}
