package xmp

import (
	"bytes"
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

// logged tells of what is logged.
type logged chan string

func (l logged) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("level=ERROR")) {
		l <- string(line)
	}
	return len(line), nil
}

// TestFollowTriesAgain: what could not be written, as the library's disk was full or its folder not to be written to, is written
// once it can be, though nothing else changes.
func TestFollowTriesAgain(t *testing.T) {
	a := newAlbum(t, "a.jpg")
	library, err := local.Open(t.Context(), a.library, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	a.records[0].Hash = index.Hash{1}
	if _, err := library.Write(t.Context(), index.Batch{Puts: []index.Put{{Record: *a.records[0]}}}); err != nil {
		t.Fatal(err)
	}
	blocked, failures := filepath.Join(a.library, JournalFolder), make(logged, 100)
	a.write(blocked, "no folder")
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() {
		Follow(ctx, library, Options{Kinds: Given, LibraryFolder: a.library}, 0, func() bool { return true }, slog.New(slog.NewTextHandler(failures, nil)))
	})
	for number := 0; len(failures) == 0; number++ { // what changes before it has begun is not written: so change until it is tried
		if number == 200 {
			t.Fatal("nothing was tried")
		}
		if err := index.Tag(t.Context(), library, []index.ID{1}, "tag"+string(rune('a'+number%20))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if _, err = os.Stat(filepath.Join(a.photos, "a.jpg.xmp")); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error(err)
}
