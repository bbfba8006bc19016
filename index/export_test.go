package index

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"mekiki/internal/vfs"
)

// TestExportOfOddTimes: a file from the year 12,000, which JSON's times cannot say,
// does not keep everything else from being exported.
func TestExportOfOddTimes(t *testing.T) {
	library := openMemory(t, vfs.NewMemory())
	mustDo(t, library.AddSpace(t.Context(), small))
	odd := testPut(t, 1, small)
	odd.Record.Files[0].Modified = time.Date(12000, 1, 2, 3, 4, 5, 0, time.UTC)
	odd.Record.Metadata.Taken = time.Date(-3, 1, 2, 3, 4, 5, 0, time.UTC)
	mustWrite(t, library, Batch{Puts: []Put{odd, testPut(t, 2, small)}})
	snapshot := library.Snapshot()
	defer snapshot.Close()
	var lines bytes.Buffer
	if err := snapshot.Export(t.Context(), &lines, ExportOptions{}); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(lines.String()), "\n") {
		var fields map[string]any
		mustDo(t, json.Unmarshal([]byte(line), &fields))
		if _, there := fields["modified"]; there == (i == 0) {
			t.Errorf("line %d: %s", i, line)
		}
	}
	if strings.Count(lines.String(), "\n") != 2 {
		t.Errorf("%s", lines.String())
	}
}
