package xmp

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/local"
)

// TestFollow: what people change while a server runs is written below its roots, and nowhere else.
func TestFollow(t *testing.T) {
	a := newAlbum(t, "in/a.jpg", "out/b.jpg")
	library, err := local.Open(t.Context(), a.library, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	var batch index.Batch
	for i, record := range a.records {
		record.Hash = index.Hash{byte(i + 1)}
		batch.Puts = append(batch.Puts, index.Put{Record: *record})
	}
	if _, err := library.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	options := Options{Kinds: Given, LibraryFolder: a.library, Roots: []string{filepath.Join(a.photos, "in")}}
	group.Go(func() {
		Follow(ctx, library, options, 0, func() bool { return true }, slog.New(slog.DiscardHandler))
	})
	sidecar := filepath.Join(a.photos, "in", "a.jpg.xmp")
	for i := range 200 { // what changes before it has begun is not written: so change until it is
		if err := index.Tag(t.Context(), library, []index.ID{1, 2}, "tag"+string(rune('a'+i%20))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
		if _, err := os.Stat(sidecar); err == nil {
			break
		}
	}
	if _, err := os.Stat(sidecar); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(a.photos, "out", "b.jpg.xmp")); !os.IsNotExist(err) {
		t.Errorf("a sidecar outside the roots was written: %v", err)
	}
}
