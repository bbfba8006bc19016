package ingest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"mekiki/index"
	"mekiki/index/ingest/drives"
	"mekiki/index/ingest/report"
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

// TestSecondModelThatRefuses: a picture that a second model cannot read stays what it is for the first one, and is listed.
func TestSecondModelThatRefuses(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	write(t, testImage(t, 1, 20, 20), photos, "a.png")
	write(t, testImage(t, 2, 30, 20), photos, "b.png")
	bring := map[string]func(index.Library, Engine) (report.Summary, error){
		"fill": func(library index.Library, engine Engine) (report.Summary, error) {
			return Fill(t.Context(), library, engine, Options{})
		},
		"run": func(library index.Library, engine Engine) (report.Summary, error) {
			return Run(t.Context(), library, engine, Options{Paths: []string{photos}, NewSpace: true})
		},
	}
	for name, second := range bring {
		library := openLibrary(t, filepath.Join(folder, name))
		mustRun(t, library, newCounting("one"), Options{Paths: []string{photos}})
		two := newCounting("two")
		two.refuse = 30
		for range 2 { // tried again
			summary, err := second(library, two)
			if must(t, err); len(summary.Failures) != 1 || filepath.Base(summary.Failures[0].File.Path) != "b.png" {
				t.Errorf("%s: %+v", name, summary)
			}
		}
		snapshot := library.Snapshot()
		failures, err := snapshot.Failures(t.Context())
		if must(t, err); snapshot.Count(index.KindImage) != 2 || len(failures) > 0 {
			t.Errorf("%s: %d images, failures %v", name, snapshot.Count(index.KindImage), failures)
		}
		two.refuse = 0
		if _, err := second(library, two); err != nil {
			t.Error(err)
		}
		now := library.Snapshot()
		have, err := now.HaveParts(t.Context(), two.Space(), []index.ID{1, 2})
		if must(t, err); !have[0] || !have[1] {
			t.Errorf("%s: %v have vectors of the second model", name, have)
		}
		snapshot.Close()
		now.Close()
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
