package local

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/internal/vfs"
)

// openTest opens a library that is closed with the test.
func openTest(tb testing.TB, folder string, options Options) *Library {
	tb.Helper()
	if options.Now == nil {
		options.Now = func() time.Time { return indextest.Time }
	}
	library, err := Open(context.Background(), folder, options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := library.Close(); err != nil {
			tb.Error(err)
		}
	})
	return library
}

// openMemory opens a library in memory.
func openMemory(tb testing.TB, fsys vfs.FS) *Library {
	tb.Helper()
	return openTest(tb, "/library", Options{FileSystem: fsys})
}

func mustWrite(tb testing.TB, library *Library, batch index.Batch) index.WriteResult {
	tb.Helper()
	result, err := library.Write(context.Background(), batch)
	if err != nil {
		tb.Fatal(err)
	}
	return result
}

// fill adds the space and images number 0 to n-1, in batches of three.
func fill(tb testing.TB, library *Library, n int) {
	tb.Helper()
	indextest.Must(tb, library.AddSpace(context.Background(), indextest.Small))
	for start := 0; start < n; start += 3 {
		var batch index.Batch
		for number := start; number < min(start+3, n); number++ {
			batch.Puts = append(batch.Puts, indextest.Image(tb, uint64(number), indextest.Small))
		}
		mustWrite(tb, library, batch)
	}
}

func compareAnswers(a, b answer) string { return cmp.Diff(a, b) }

// NearestImages finds images.
func (s *Snapshot) NearestImages(ctx context.Context, query []float32, k int, filter index.Filter) ([]index.Neighbour, error) {
	return s.Nearest(ctx, index.KindImage, query, k, filter)
}

// NearestTexts finds texts.
func (s *Snapshot) NearestTexts(ctx context.Context, query []float32, k int, filter index.Filter) ([]index.Neighbour, error) {
	return s.Nearest(ctx, index.KindText, query, k, filter)
}

// Tag and its like are what tests of the library call most.
func (l *Library) Tag(ctx context.Context, ids []index.ID, tags ...string) error {
	return index.Tag(ctx, l, ids, tags...)
}

func (l *Library) Untag(ctx context.Context, ids []index.ID, tags ...string) error {
	return index.Untag(ctx, l, ids, tags...)
}

func (l *Library) Remove(ctx context.Context, ids ...index.ID) error {
	return index.Remove(ctx, l, ids...)
}
