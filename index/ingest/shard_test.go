package ingest

import (
	"fmt"
	"path/filepath"
	"testing"

	"mekiki/index/ingest/rules"
)

// TestShards: each of two runs over one folder takes its part of the files and captions them, and neither takes the
// other's out.
func TestShards(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	const files = 12
	for i := range files {
		write(t, testImage(t, uint64(i), 20, 20), photos, fmt.Sprintf("%d.jpg", i))
	}
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	options := Options{Paths: []string{photos}, CaptionsLater: true, Captions: 1}
	added := 0
	for number := 1; number <= 2; number++ {
		options.Shard = rules.Shard{Number: number, Of: 2}
		summary := mustRun(t, library, engine, options)
		added += summary.Added
		if summary.Added == 0 || summary.Added == files || summary.Removed != 0 || len(pathsOf(t, library)) != added {
			t.Errorf("shard %d: %+v", number, summary)
		}
	}
	if added != files {
		t.Errorf("%d of %d files are in", added, files)
	}
	options.Shard = rules.Shard{}
	if summary := mustRun(t, library, engine, options); summary.Unchanged != files || summary.Captioned != 0 {
		t.Errorf("without shards: %+v", summary)
	}
}
