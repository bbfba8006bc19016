package local

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/export"
	"mekiki/index/indextest"
	"mekiki/index/local/keywords"
	"mekiki/internal/vfs/vfstest"
)

// TestExportOfOddTimes: a file from the year 12,000, which JSON's times cannot say,
// does not keep everything else from being exported.
func TestExportOfOddTimes(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	odd := indextest.Image(t, 1, indextest.Small)
	odd.Record.Files[0].Modified = time.Date(12000, 1, 2, 3, 4, 5, 0, time.UTC)
	odd.Record.Metadata.Taken = time.Date(-3, 1, 2, 3, 4, 5, 0, time.UTC)
	mustWrite(t, library, index.Batch{Puts: []index.Put{odd, indextest.Image(t, 2, indextest.Small)}})
	snapshot := library.Snapshot()
	defer snapshot.Close()
	var lines bytes.Buffer
	if err := export.Export(t.Context(), snapshot, &lines, index.ExportOptions{}); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(lines.String()), "\n") {
		var fields map[string]any
		indextest.Must(t, json.Unmarshal([]byte(line), &fields))
		if _, there := fields["modified"]; there == (i == 0) {
			t.Errorf("line %d: %s", i, line)
		}
	}
	if strings.Count(lines.String(), "\n") != 2 {
		t.Errorf("%s", lines.String())
	}
}

// TestMetadataIsSearchedAndExported: all that a picture says of itself is in its line of
// an export, and its words find it.
func TestMetadataIsSearchedAndExported(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	put, rating, offset := indextest.Image(t, 1, indextest.Small), -1, -(3*time.Hour + 30*time.Minute)
	put.Record.Metadata = index.Metadata{
		Taken: time.Date(2024, 3, 1, 1, 30, 0, 0, time.UTC), TakenOffset: &offset, TakenSource: "exif", Keywords: []string{"Places/Kyoto"},
		People: []string{"Zebediah Quux"}, Rating: &rating, Label: "Turquoise", Generation: "a wombat in a bathtub",
	}
	mustWrite(t, library, index.Batch{Puts: []index.Put{put, indextest.Image(t, 2, indextest.Small)}})
	snapshot := library.Snapshot()
	defer snapshot.Close()
	var lines bytes.Buffer
	indextest.Must(t, export.Export(t.Context(), snapshot, &lines, index.ExportOptions{}))
	for _, want := range []string{
		`"taken":"2024-03-01T01:30:00Z","taken_offset":"-03:30","taken_source":"exif"`, `"people":["Zebediah Quux"]`,
		`"rating":-1`, `"label":"Turquoise"`, `"generation":"a wombat in a bathtub"`,
	} {
		if strings.Count(lines.String(), want) != 1 {
			t.Errorf("%s is not once in %s", want, lines.String())
		}
	}
	record, found := snapshot.recordByHash(put.Record.Hash)
	if !found {
		t.Fatal("the record is not there")
	}
	document := keywords.DocumentOf(record)
	for _, list := range [][]string{document.People, document.Labels, document.Values} {
		if text := strings.Join(list, " "); !strings.Contains(text, "Quux") && !strings.Contains(text, "Turquoise") && !strings.Contains(text, "wombat") {
			t.Errorf("%q holds none of the new words", text)
		}
	}
}
