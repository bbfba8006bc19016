package ingest

import (
	"os"
	"path/filepath"
	"testing"

	"mekiki/index/ingest/report"
)

// TestPathsThatFailAreNamed holds that a path that cannot be read is listed by
// its name.
func TestPathsThatFailAreNamed(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "nowhere")
	_, err := os.Stat(missing)
	tracker := report.NewTracker(nil)
	tracker.FailPath(err)
	if failure := tracker.Failures[0]; failure.File.Path != missing || failure.Reason != "nothing is there" {
		t.Errorf("%q: %q", failure.File.Path, failure.Reason)
	}
}
