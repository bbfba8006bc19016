package local

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/maintain"
	"mekiki/internal/vfs/vfstest"
)

// TestReaderOfRestoredLibrary: a library that was restored and never written to has
// no log. A reader of it finds nothing new there, again and again, without reading it
// anew each time; and then follows the first writer.
func TestReaderOfRestoredLibrary(t *testing.T) {
	folder := t.TempDir()
	library := openTest(t, filepath.Join(folder, "library"), Options{})
	fill(t, library, 4)
	var archive bytes.Buffer
	indextest.Must(t, library.Backup(t.Context(), &archive))
	target := filepath.Join(folder, "restored")
	indextest.Must(t, maintain.Restore(t.Context(), &archive, target))
	reader := openTest(t, target, Options{ReadOnly: true})
	first := reader.derived
	for range 3 {
		if changed, err := reader.Refresh(t.Context()); err != nil || changed || reader.derived != first {
			t.Errorf("refresh: %v, %v, read anew: %v", changed, err, reader.derived != first)
		}
	}
	writer := openTest(t, target, Options{})
	if changed, err := reader.Refresh(t.Context()); err != nil || changed || reader.derived != first {
		t.Errorf("refresh under a writer: %v, %v, read anew: %v", changed, err, reader.derived != first)
	}
	mustWrite(t, writer, index.Batch{Puts: []index.Put{indextest.Image(t, 9, indextest.Small)}})
	if changed, err := reader.Refresh(t.Context()); err != nil || !changed || reader.derived != first {
		t.Errorf("refresh after a commit: %v, %v, read anew: %v", changed, err, reader.derived != first)
	}
	if diff := cmp.Diff(answers(t, writer), answers(t, reader)); diff != "" {
		t.Errorf("the reader differs from the writer:\n%s", diff)
	}
}

// TestReaderOpensDuringCompaction: compaction that ends between the moments at which
// a reader has read the catalog and opens the segments is no damage.
func TestReaderOpensDuringCompaction(t *testing.T) {
	memory := vfstest.NewMemory()
	writer := openTest(t, "/library", Options{FileSystem: memory, SegmentBytes: 500})
	fill(t, writer, 12)
	indextest.Must(t, writer.Remove(t.Context(), 2, 5, 7))
	compacted := false
	files := &vfstest.Faulty{Base: memory, Fail: func(_ int64, operation vfstest.Operation) error {
		if !compacted && operation.Verb == "open" && strings.HasSuffix(operation.Name, ".segment") {
			compacted = true
			if _, err := writer.Compact(t.Context()); err != nil {
				t.Error(err)
			}
		}
		return nil
	}}
	reader := openTest(t, "/library", Options{FileSystem: files, ReadOnly: true})
	if !compacted {
		t.Fatal("nothing was compacted")
	}
	if findings := reader.Findings(); len(findings) > 0 {
		t.Errorf("findings: %+v", findings)
	}
	if diff := cmp.Diff(answers(t, writer), answers(t, reader)); diff != "" {
		t.Errorf("the reader differs from the writer:\n%s", diff)
	}
}
