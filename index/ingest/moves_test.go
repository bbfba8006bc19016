package ingest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/ingest/report"
	"mekiki/index/local"
)

// TestFilesThatChangePlaces: files that take each other's names keep their
// records with what people wrote on them, in one run, however small the commits
// are.
func TestFilesThatChangePlaces(t *testing.T) {
	const n = 6
	for _, test := range []struct {
		name string
		// to gives the new number of each file, or -1 for none.
		to func(int) int
		// fresh are the numbers under which there is a new picture.
		fresh []int
		want  report.Summary
	}{
		{"a swap", func(i int) int { return [n]int{1, 0, 2, 3, 4, 5}[i] }, nil, report.Summary{Seen: n, Unchanged: n - 2, Attached: 2}},
		{"a ring", func(i int) int { return (i + 1) % n }, nil, report.Summary{Seen: n, Attached: n}},
		{"two rings", func(i int) int { return [n]int{1, 2, 0, 4, 3, 5}[i] }, nil, report.Summary{Seen: n, Unchanged: 1, Attached: 5}},
		{"one number up", func(i int) int { return i + 1 }, nil, report.Summary{Seen: n, Attached: n, Removed: 1}},
		{"one number down", func(i int) int { return i - 1 }, nil, report.Summary{Seen: n - 1, Attached: n - 1, Removed: 1}},
		{"a new one in the place of a moved one", func(i int) int { return [n]int{50, 1, 2, 3, 4, 5}[i] }, []int{0},
			report.Summary{Seen: n + 1, Unchanged: n - 1, Attached: 1, Added: 1}},
		{"a new one in the place of a swapped one", func(i int) int { return [n]int{1, 2, 9, 3, 4, 5}[i] }, []int{0},
			report.Summary{Seen: n + 1, Unchanged: n - 3, Attached: 3, Added: 1}},
	} {
		for _, batch := range []int{1, 64} {
			t.Run(fmt.Sprintf("%s, %d in a commit", test.name, batch), func(t *testing.T) {
				folder := t.TempDir()
				photos := filepath.Join(folder, "photos")
				name := func(i int) string { return filepath.Join(photos, fmt.Sprintf("%02d.jpg", i)) }
				for i := range n {
					write(t, testImage(t, uint64(i), 20, 20), name(i))
				}
				library := openLibrary(t, filepath.Join(folder, "library"))
				engine := newCounting("one")
				options := Options{Paths: []string{photos}, BatchSize: batch, ModelBatch: 1}
				mustRun(t, library, engine, options)
				want := map[index.ID]string{}
				for i := range n {
					id := idOf(t, library, name(i))
					must(t, index.Tag(t.Context(), library, []index.ID{id}, fmt.Sprint("tag", i)))
					if test.to(i) >= 0 {
						want[id] = name(test.to(i))
					}
				}
				for i := range n {
					must(t, os.Rename(name(i), name(i)+".aside"))
				}
				for i := range n {
					if test.to(i) >= 0 {
						must(t, os.Rename(name(i)+".aside", name(test.to(i))))
					}
				}
				before := engine.images.Load()
				for _, i := range test.fresh {
					write(t, testImage(t, uint64(1000+i), 20, 20), name(i))
				}
				if diff := cmp.Diff(test.want, mustRun(t, library, engine, options)); diff != "" {
					t.Error(diff)
				}
				if got := engine.images.Load() - before; got != int64(len(test.fresh)) {
					t.Errorf("the model saw %d images, want %d", got, len(test.fresh))
				}
				snapshot := library.Snapshot()
				defer snapshot.Close()
				for id, path := range want {
					record, there := indextest.Record(t, snapshot, id)
					if !there || len(record.Files) != 1 || record.Path() != path || len(record.Tags) != 1 {
						t.Errorf("record %d: %q, tags %q, want only %s and its tag", id, record.Paths(), record.Tags, path)
					}
				}
				if got := snapshot.Count(index.KindImage); got != len(want)+len(test.fresh) {
					t.Errorf("%d images, want %d", got, len(want)+len(test.fresh))
				}
			})
		}
	}
}

func idOf(tb testing.TB, library *local.Library, path string) index.ID {
	tb.Helper()
	return recordOf(tb, library, path).ID
}

func recordOf(tb testing.TB, library *local.Library, path string) *index.Record {
	tb.Helper()
	snapshot := library.Snapshot()
	defer snapshot.Close()
	record, there := indextest.RecordByPath(tb, snapshot, path)
	if !there {
		tb.Fatalf("%s is not in the library", path)
	}
	return record
}
