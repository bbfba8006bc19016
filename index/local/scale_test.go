package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/internal/testsize"
	"mekiki/internal/usage"
)

// TestScale logs what a library of MEKIKI_TEST_RECORDS images, of
// MEKIKI_TEST_PARTS vectors each, costs to fill, open, follow, search and check.
func TestScale(t *testing.T) {
	records, parts := testsize.Of(t, "MEKIKI_TEST_RECORDS", 2000), testsize.Of(t, "MEKIKI_TEST_PARTS", 4)
	space := embed.Space{Fingerprint: "scale", Parts: parts, Width: 256}
	folder := filepath.Join(t.TempDir(), "library")
	timed := func(what string, work func()) {
		started, processor := time.Now(), usage.ProcessorTime()
		work()
		t.Logf("%-44s %8.3f s %8.3f s of processor", what, time.Since(started).Seconds(), (usage.ProcessorTime() - processor).Seconds())
	}
	memory := func(what string) {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		t.Logf("%-44s %8d MB in use", what, stats.HeapAlloc>>20)
	}
	var writer, reader *Library
	open := func(options Options) (l *Library) {
		l, err := Open(t.Context(), folder, options)
		indextest.Must(t, err)
		return l
	}
	timed(fmt.Sprintf("write %d images of %d vectors", records, parts), func() {
		writer = open(Options{})
		indextest.Must(t, writer.AddSpace(t.Context(), space))
		for first := 0; first < records; first += 1000 {
			var batch index.Batch
			for number := first; number < min(first+1000, records); number++ {
				batch.Puts = append(batch.Puts, indextest.ScalePut(uint64(number), space))
			}
			mustWrite(t, writer, batch)
		}
	})
	timed("close", func() { indextest.Must(t, writer.Close()) })
	size, err := writer.size(folder)
	indextest.Must(t, err)
	t.Logf("%-44s %8d MB", "on disk", size>>20)
	timed("open for writing", func() { writer = open(Options{}) })
	memory("opened")
	timed("open a reader beside it", func() { reader = open(Options{ReadOnly: true}) })
	defer func() { indextest.Must(t, reader.Close()) }()
	for _, count := range []int{1, 64} {
		var batch index.Batch
		for number := range count {
			batch.Puts = append(batch.Puts, indextest.ScalePut(uint64(records+100*count+number), space))
		}
		timed(fmt.Sprintf("write %d more", count), func() { mustWrite(t, writer, batch) })
		timed("  the reader follows", func() {
			if changed, err := reader.Refresh(t.Context()); err != nil || !changed {
				t.Errorf("refresh: %v, %v", changed, err)
			}
		})
	}
	snapshot := reader.Snapshot()
	defer func() { snapshot.Close() }()
	search := func(what string, filter index.Filter) {
		query := indextest.Unit(5, 1, space.Width).Values
		timed(what, func() {
			_, err := snapshot.NearestImages(context.Background(), query, 10, filter)
			indextest.Must(t, err)
		})
	}
	search("10 nearest", index.Filter{})
	search("10 nearest, again", index.Filter{})
	search("10 nearest of one folder in 100", index.Filter{Folders: []string{"/photos/007"}})
	search("10 nearest of one camera in two", index.Filter{Cameras: []string{"canon"}})
	search("10 nearest of one month", index.Filter{After: indextest.Time, Before: indextest.Time.AddDate(0, 1, 0)})
	for _, text := range []string{"dog", "dog beside number 77", "犬"} {
		timed("words: "+text, func() {
			_, err := snapshot.Keyword(context.Background(), index.KeywordQuery{Text: text}, 100, index.Filter{})
			indextest.Must(t, err)
		})
	}
	timed("the first 50 by date", func() {
		_, _, err := snapshot.List(context.Background(), index.Filter{}, index.Page{Limit: 50, Order: index.OrderDateDescending})
		indextest.Must(t, err)
	})
	timed("count cameras, folders, years", func() {
		_, err := snapshot.Facets(context.Background(), index.Filter{})
		indextest.Must(t, err)
	})
	timed("one by its path", func() {
		if _, found := snapshot.recordByPath(indextest.ScalePath(uint64(records / 2))); !found {
			t.Errorf("%s is not there", indextest.ScalePath(uint64(records/2)))
		}
	})
	timed("open another reader, and search", func() {
		another := open(Options{ReadOnly: true})
		defer func() { indextest.Must(t, another.Close()) }()
		view := another.Snapshot()
		defer view.Close()
		_, err := view.NearestImages(context.Background(), indextest.Unit(5, 1, space.Width).Values, 10, index.Filter{})
		indextest.Must(t, err)
	})
	timed("compact", func() {
		_, err := writer.Compact(t.Context())
		indextest.Must(t, err)
	})
	timed("  the reader follows", func() {
		if changed, err := reader.Refresh(t.Context()); err != nil || !changed {
			t.Errorf("refresh: %v, %v", changed, err)
		}
	})
	snapshot.Close()
	snapshot = reader.Snapshot()
	search("  10 nearest", index.Filter{})
	timed("close the writer", func() { indextest.Must(t, writer.Close()) })
	timed("delete derived data", func() { indextest.Must(t, os.RemoveAll(filepath.Join(folder, catalog.DerivedFolder))) })
	timed("open, with derived data to rebuild", func() { writer = open(Options{}) })
	timed("check", func() {
		_, err := writer.Check(context.Background())
		indextest.Must(t, err)
	})
	indextest.Must(t, writer.Close())
}
