package ingest

import (
	"errors"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/vfs"
	"testing"
)

// TestClosedLibraryStopsARun: a run on a library that was closed stops before it
// compares the pictures with records that it cannot see.
func TestClosedLibraryStopsARun(t *testing.T) {
	library, err := local.Open(t.Context(), "/library", local.Options{FileSystem: vfs.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	if err := library.Close(); err != nil {
		t.Fatal(err)
	}
	if err := prepareSpace(t.Context(), library, nil, Options{}); !errors.Is(err, index.ErrClosed) {
		t.Errorf("run: %v", err)
	}
	if err := embedPuts(t.Context(), library, nil, nil); !errors.Is(err, index.ErrClosed) {
		t.Errorf("texts: %v", err)
	}
}
