package ingest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mekiki/index/metadata"
)

// TestMetadataOfFiles: pictures with metadata of odd types are in the library beside the
// others, with what they and the files beside them say.
func TestMetadataOfFiles(t *testing.T) {
	const files = "../metadata/testdata/files"
	entries, err := os.ReadDir(files)
	must(t, err)
	folder := t.TempDir()
	photos, pictures := filepath.Join(folder, "photos"), 0
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(files, entry.Name()))
		must(t, err)
		write(t, data, photos, entry.Name())
		if !metadata.IsSidecarName(entry.Name()) {
			pictures++
		}
	}
	named := write(t, testImage(t, 1, 20, 20), photos, "IMG-20190704-WA0000.jpg")
	library := openLibrary(t, filepath.Join(folder, "library"))
	summary := mustRun(t, library, newCounting("one"), Options{Paths: []string{photos}})
	if summary.Seen != pictures+1 || summary.Failed != 0 {
		t.Errorf("%+v of %d pictures", summary, pictures+1)
	}
	if record := recordOf(t, library, filepath.Join(photos, "sidecar-a.jpg")); !slices.Equal(record.Metadata.Keywords, []string{"SidecarArt"}) ||
		record.Metadata.Rating == nil || record.MetadataVersion != metadata.Version {
		t.Errorf("beside a sidecar: %+v", record.Metadata)
	}
	if record := recordOf(t, library, filepath.Join(photos, "IMG_3397.jpg")); record.Metadata.TakenSource != "takeout" {
		t.Errorf("beside Takeout's JSON: %+v", record.Metadata)
	}
	if record := recordOf(t, library, named); record.Metadata.Taken.Format(time.DateOnly) != "2019-07-04" || record.Metadata.TakenSource != "name" {
		t.Errorf("by its name: %+v", record.Metadata)
	}
}
