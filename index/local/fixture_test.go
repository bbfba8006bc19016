package local

import (
	"os"
	"path/filepath"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/index/local/writerlock"
)

// fixtureFolder holds a library written by the first version of the format. It
// is never written again: later versions must open it.
const fixtureFolder = "testdata/library-1"

// writeFixture makes the fixture of a new format version.
const writeFixture = "MEKIKI_TEST_WRITE_FIXTURE"

func TestOpensLibrariesOfOlderVersions(t *testing.T) {
	if filepath.Separator != '/' {
		t.Skip("the paths in the fixture are absolute only where folders are separated by slashes")
	}
	if os.Getenv(writeFixture) != "" {
		folder := filepath.Join(t.TempDir(), "library")
		library := openTest(t, folder, Options{CheckpointBytes: 2500})
		fill(t, library, 9)
		mustWrite(t, library, index.Batch{Detach: []string{indextest.File(4).Path}})
		indextest.Must(t, library.Close())
		for _, name := range []string{catalog.DerivedFolder, writerlock.FileName} {
			indextest.Must(t, os.RemoveAll(filepath.Join(folder, name)))
		}
		indextest.Must(t, os.CopyFS(fixtureFolder, os.DirFS(folder)))
	}
	folder := filepath.Join(t.TempDir(), "library")
	indextest.Must(t, os.CopyFS(folder, os.DirFS(fixtureFolder)))
	library := openTest(t, folder, Options{})
	known := newOracle()
	for number := range uint64(9) {
		known.images[number] = present
	}
	known.images[4] = absent
	indextest.Must(t, known.verify(t, library))
	wantWhole(t, library)
}

// TestDerivedDataCanBeDeleted deletes what is derived and expects the same
// answers.
func TestDerivedDataCanBeDeleted(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	library := openTest(t, folder, Options{})
	fill(t, library, 8)
	indextest.Must(t, library.Remove(t.Context(), 3))
	before := answers(t, library)
	indextest.Must(t, library.Close())
	indextest.Must(t, os.RemoveAll(filepath.Join(folder, catalog.DerivedFolder)))
	after := answers(t, openTest(t, folder, Options{}))
	if diff := compareAnswers(before, after); diff != "" {
		t.Errorf("answers differ without derived data:\n%s", diff)
	}
}

// wantWhole fails the test if a check finds anything.
func wantWhole(t *testing.T, library *Library) {
	t.Helper()
	report, err := library.Check(t.Context())
	indextest.Must(t, err)
	if len(report.Findings) > 0 {
		t.Errorf("check: %+v", report.Findings)
	}
}
