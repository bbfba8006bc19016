package ingest

import (
	"errors"
	"testing"

	"mekiki/index"
	"mekiki/index/ingest/textrecord"
	"mekiki/index/local"
	"mekiki/internal/vfs/vfstest"
)

// TestClosedLibraryStopsARun: a run on a library that was closed stops before it
// compares the pictures with records that it cannot see.
func TestClosedLibraryStopsARun(t *testing.T) {
	library, err := local.Open(t.Context(), "/library", local.Options{FileSystem: vfstest.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	if err := library.Close(); err != nil {
		t.Fatal(err)
	}
	engine := newCounting("one")
	if _, err := Run(t.Context(), library, engine, Options{Paths: []string{t.TempDir()}}); !errors.Is(err, index.ErrClosed) {
		t.Errorf("run: %v", err)
	}
	if _, err := textrecord.Add(t.Context(), library, engine, []textrecord.Text{{Text: "a dog"}}); !errors.Is(err, index.ErrClosed) {
		t.Errorf("texts: %v", err)
	}
}
