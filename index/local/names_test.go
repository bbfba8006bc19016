package local

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/index"
	"mekiki/index/export"
	"mekiki/index/indextest"
	"mekiki/index/local/keywords"
	"mekiki/internal/vfs/vfstest"
)

// TestUploadedNames asks for uploads by the names and folders that they came
// with, which their paths do not tell.
func TestUploadedNames(t *testing.T) {
	ctx := context.Background()
	library := openMemory(t, vfstest.NewMemory())
	indextest.Must(t, library.AddSpace(ctx, indextest.Small))
	named, plain := indextest.Image(t, 1, indextest.Small), indextest.Image(t, 2, indextest.Small)
	kept := filepath.Join(string(filepath.Separator), "library-uploads", "ab", "ab01.jpeg")
	named.Record.Files = []index.File{{Path: kept, Bytes: 9, Modified: indextest.Time, Name: "Holiday 2024/Beach/sunset_pier.jpg"}}
	ids := mustWrite(t, library, index.Batch{Puts: []index.Put{named, plain}}).IDs
	check := func() {
		t.Helper()
		snapshot := library.Snapshot()
		defer snapshot.Close()
		record, _ := snapshot.record(ids[0])
		if record.Name() != "Holiday 2024/Beach/sunset_pier.jpg" {
			t.Errorf("name %q", record.Name())
		}
		for folder, want := range map[string]int{
			"Holiday 2024": 1, "holiday 2024/beach": 1, "Beach": 1, "library-uploads": 1, "photos": 1, "Holiday": 1, "liday": 0, ".": 0,
		} {
			records, _, err := snapshot.List(ctx, index.Filter{Folders: []string{folder}}, index.Page{Limit: 10})
			if err != nil || len(records) != want {
				t.Errorf("folder %q: %d records, want %d, %v", folder, len(records), want, err)
			}
		}
		facets, err := snapshot.Facets(ctx, index.Filter{})
		if err != nil || !slices.Contains(facets.Folders, index.FacetCount{Value: "Holiday 2024/Beach", Count: 1}) {
			t.Errorf("folders %v, %v", facets.Folders, err)
		}
		if got := keywords.DocumentOf(record).Names; !slices.Equal(got, []string{record.Name()}) {
			t.Errorf("names %q", got)
		}
		var lines strings.Builder
		if err := export.Export(ctx, snapshot, &lines, index.ExportOptions{}); err != nil || !strings.Contains(lines.String(), `"name":"Holiday 2024/Beach/sunset_pier.jpg"`) {
			t.Errorf("export %v: %s", err, lines.String())
		}
	}
	check()
	// A new stamp does not know the name, and does not take it away.
	mustWrite(t, library, index.Batch{Attach: []index.Attach{{ID: ids[0], File: index.File{Path: kept, Bytes: 9, Modified: indextest.Time.AddDate(0, 0, 1)}}}})
	check()
	// A name can be given to a file that is as it was.
	mustWrite(t, library, index.Batch{Attach: []index.Attach{{ID: ids[1], File: func() index.File { f := indextest.File(2); f.Name = "later.jpg"; return f }()}}})
	snapshot := library.Snapshot()
	defer snapshot.Close()
	if record, _ := snapshot.record(ids[1]); record.Name() != "later.jpg" {
		t.Errorf("name given later: %q", record.Name())
	}
}
