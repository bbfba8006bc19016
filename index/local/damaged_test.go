package local

import (
	"strings"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/internal/vfs/vfstest"
)

// flip changes one bit of a file.
func flip(t *testing.T, files *vfstest.Memory, name string, offset int64) {
	t.Helper()
	data := files.Files()[name]
	if offset >= int64(len(data)) {
		t.Fatalf("%s has %d bytes", name, len(data))
	}
	data[offset] ^= 4
	files.Put(name, data)
}

// TestDamagedLibraryKeepsEverything: until it is repaired, nothing that a damaged
// library holds is removed, however much is written to it.
func TestDamagedLibraryKeepsEverything(t *testing.T) {
	files := vfstest.NewMemory()
	options := Options{FileSystem: files, SegmentBytes: 400}
	library := openTest(t, "/library", options)
	fill(t, library, 12)
	indextest.Must(t, library.Close())
	// The frame of some commit in the middle is lost, and with it what points to
	// some segments.
	flip(t, files, "/library/"+catalog.LogName(1), int64(len(files.Files()["/library/"+catalog.LogName(1)])/2))
	before := map[string]bool{}
	for name := range files.Files() {
		if strings.HasSuffix(name, ".segment") || strings.HasSuffix(name, catalog.LogSuffix) {
			before[name] = true
		}
	}
	options.CheckpointBytes = 1000
	for round := range uint64(3) {
		library := openTest(t, "/library", options)
		if len(library.Findings()) == 0 {
			t.Errorf("round %d: the damage is forgotten", round)
		}
		for number := range uint64(4) {
			mustWrite(t, library, index.Batch{Puts: []index.Put{indextest.Image(t, 100*(round+1)+number, indextest.Small)}})
		}
		if _, err := library.Compact(t.Context()); err == nil {
			t.Errorf("round %d: compacted", round)
		}
		indextest.Must(t, library.Close())
	}
	after := files.Files()
	for name := range before {
		if after[name] == nil {
			t.Errorf("%s is gone", name)
		}
	}
	library = openTest(t, "/library", options)
	_, err := library.Repair(t.Context())
	indextest.Must(t, err)
	if _, err := library.Compact(t.Context()); err != nil {
		t.Error(err)
	}
	indextest.Must(t, library.Close())
	library = openTest(t, "/library", options)
	if report, err := library.Check(t.Context()); err != nil || len(report.Findings) > 0 || len(library.Findings()) > 0 {
		t.Errorf("after repair: %+v, %v; %+v", report, err, library.Findings())
	}
}

// TestDamagedSegmentHeader: repair does not claim what it does not do, and the
// remedy that check names does it.
func TestDamagedSegmentHeader(t *testing.T) {
	files := vfstest.NewMemory()
	library := openMemory(t, files)
	fill(t, library, 6)
	before := answers(t, library)
	indextest.Must(t, library.Close())
	for name := range files.Files() {
		if strings.Contains(name, "vectors-") {
			flip(t, files, name, 20)
		}
	}
	library = openMemory(t, files)
	report, err := library.Repair(t.Context())
	indextest.Must(t, err)
	if len(report.Findings) != 1 || report.Findings[0].Remedy != "mekiki compact" || report.Repaired != 0 {
		t.Fatalf("repair: %+v", report)
	}
	_, err = library.Compact(t.Context())
	indextest.Must(t, err)
	if diff := compareAnswers(before, answers(t, library)); diff != "" {
		t.Errorf("answers after compaction:\n%s", diff)
	}
	report, err = library.Check(t.Context())
	indextest.Must(t, err)
	if len(report.Findings) > 0 {
		t.Errorf("after compaction: %+v", report)
	}
}
