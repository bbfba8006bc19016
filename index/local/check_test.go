package local

import (
	"strings"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/internal/vfs/vfstest"
)

// TestCheckDuringCompaction: a reader that checks while the writer compacts meets
// files that go, and takes none of that for damage or a failure.
func TestCheckDuringCompaction(t *testing.T) {
	memory := vfstest.NewMemory()
	writer := openTest(t, "/library", Options{FileSystem: memory, SegmentBytes: 500})
	fill(t, writer, 12)
	indextest.Must(t, writer.Remove(t.Context(), 2, 5, 7))
	checking, compacted := false, false
	files := &vfstest.Faulty{Base: memory, Fail: func(_ int64, operation vfstest.Operation) error {
		if checking && !compacted && operation.Verb == "open" && strings.HasPrefix(operation.Name, "/library/"+catalog.Folder) {
			compacted = true
			if _, err := writer.Compact(t.Context()); err != nil {
				t.Error(err)
			}
		}
		return nil
	}}
	reader := openTest(t, "/library", Options{FileSystem: files, ReadOnly: true})
	checking = true
	report, err := reader.Check(t.Context())
	if err != nil || !compacted || len(report.Findings) > 0 {
		t.Errorf("compacted %v: %+v, %v", compacted, report, err)
	}
}

// TestFindingsAreListedOnce: damage that is met again and again is one finding.
func TestFindingsAreListedOnce(t *testing.T) {
	files := vfstest.NewMemory()
	first := openMemory(t, files)
	fill(t, first, 6)
	indextest.Must(t, first.Close())
	library := openTest(t, "/library", Options{FileSystem: files, keptVectors: 1})
	old := library.Snapshot()
	defer old.Close()
	nearestIDs(t, old)
	name, content := withDamage(t, files, old, 2)
	indextest.Must(t, writeAt(files, name, content))
	mustWrite(t, library, index.Batch{Vectors: []index.Vectors{{ID: 2, Space: indextest.Small, Parts: indextest.Unit(50, indextest.Small.Parts, indextest.Small.Width)}}})
	nearestIDs(t, old)
	found := len(library.Findings())
	for range 5 {
		mustWrite(t, library, index.Batch{Tags: []index.TagChange{{ID: 1, Add: []string{"x"}}}})
		mustWrite(t, library, index.Batch{Tags: []index.TagChange{{ID: 1, Remove: []string{"x"}}}})
		old.view.nearest.Found.Store(nil) // as if it were another snapshot of that commit
		nearestIDs(t, old)
	}
	if findings := library.Findings(); found == 0 || len(findings) > found+1 {
		t.Errorf("%d findings, then %+v", found, findings)
	}
}
