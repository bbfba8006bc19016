package ingest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"mekiki/index"
)

// TestPurgedStaysAway empties the trash, after which neither the file nor a copy of it elsewhere comes back by being indexed,
// until somebody asks for it; the library knows of it after it was opened again too.
func TestPurgedStaysAway(t *testing.T) {
	photos, folder := t.TempDir(), t.TempDir()
	data := testImage(t, 1, 40, 30)
	gone := write(t, data, photos, "gone.png")
	other := write(t, testImage(t, 2, 40, 30), photos, "other.png")
	library, engine := openLibrary(t, folder), newCounting("a")
	indexed := func(options Options, records, purged int) {
		t.Helper()
		options.Paths = []string{photos}
		summary := mustRun(t, library, engine, options)
		snapshot := library.Snapshot()
		defer snapshot.Close()
		if count := snapshot.Count(index.KindImage); count != records || summary.Purged != purged || summary.Failed != 0 {
			t.Fatalf("%d records, and the summary is %+v", count, summary)
		}
	}
	indexed(Options{}, 2, 0)
	id := idOf(t, library, gone)
	must(t, index.Tag(t.Context(), library, []index.ID{id}, "old"))
	must(t, index.Trash(t.Context(), library, time.Now(), id))
	purged, err := index.PurgeTrash(t.Context(), library, time.Now().Add(time.Hour))
	if must(t, err); purged != 1 {
		t.Fatalf("%d were removed", purged)
	}
	indexed(Options{}, 1, 1)
	write(t, data, photos, "copy.png")
	indexed(Options{}, 1, 2)
	must(t, library.Close())
	library = openLibrary(t, folder)
	indexed(Options{}, 1, 2)
	// A file whose content becomes that of the picture is not its record's any more.
	must(t, os.WriteFile(other, data, 0o644))
	must(t, os.Chtimes(other, time.Time{}, time.Now().Add(time.Minute)))
	indexed(Options{}, 0, 3)
	indexed(Options{Again: true}, 1, 0)
	indexed(Options{}, 1, 0)
	if record := recordOf(t, library, filepath.Join(photos, "copy.png")); len(record.Files) != 3 || len(record.Tags) != 0 || record.InTrash() {
		t.Errorf("got %+v", record)
	}
}
