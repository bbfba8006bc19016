package local

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/internal/hint"
	"mekiki/internal/vfs/vfstest"
)

// without gives a copy of files that lacks those that match.
func without(files map[string][]byte, match func(name string) bool) *vfstest.Memory {
	copied := vfstest.NewMemory()
	for name, data := range files {
		if !match(name) {
			copied.Put(name, data)
		}
	}
	return copied
}

func segmentsIn(files *vfstest.Memory) int {
	count := 0
	for name := range files.Files() {
		if strings.HasSuffix(name, ".segment") {
			count++
		}
	}
	return count
}

// TestMissingCatalog: a library whose catalog is gone is not taken for a new one,
// which would remove every vector as a file that nothing points to.
func TestMissingCatalog(t *testing.T) {
	files := vfstest.NewMemory()
	library := openMemory(t, files)
	fill(t, library, 4)
	indextest.Must(t, library.Close())
	damaged := without(files.Files(), func(name string) bool { return strings.HasPrefix(name, "/library/catalog/") })
	before := damaged.Files()
	for _, readOnly := range []bool{false, true} {
		library, err := Open(t.Context(), "/library", Options{FileSystem: damaged, ReadOnly: readOnly})
		if err == nil {
			indextest.Must(t, library.Close())
		}
		if !errors.Is(err, index.ErrDamaged) || hint.Of(err) == "" || !strings.Contains(err.Error(), "catalog") {
			t.Errorf("opened read-only %v: %v, with the remedy %q", readOnly, err, hint.Of(err))
		}
	}
	if after := damaged.Files(); segmentsIn(damaged) == 0 || len(after) > len(before)+1 {
		t.Errorf("files after: %v", slices.Collect(maps.Keys(after)))
	}
}

// TestMissingLastLog: a log that is gone from behind its checkpoint is noticed each
// time, nothing of its commits is removed, and repair makes an end of it.
func TestMissingLastLog(t *testing.T) {
	files := vfstest.NewMemory()
	library := openMemory(t, files)
	fill(t, library, 4)
	_, err := library.Compact(t.Context())
	indextest.Must(t, err)
	for number := range uint64(3) {
		mustWrite(t, library, index.Batch{Puts: []index.Put{indextest.Image(t, 10+number, indextest.Small)}})
	}
	indextest.Must(t, library.Close())
	logs, checkpoints, err := catalog.Files(files, "/library")
	indextest.Must(t, err)
	last := logs[len(logs)-1]
	if checkpoints[len(checkpoints)-1] != last {
		t.Fatalf("logs %v, checkpoints %v", logs, checkpoints)
	}
	damaged := without(files.Files(), func(name string) bool { return strings.HasSuffix(name, catalog.LogName(last)) })
	segments := segmentsIn(damaged)
	for range 2 {
		library := openMemory(t, damaged)
		findings := library.Findings()
		if len(findings) != 1 || findings[0].File != catalog.LogName(last) {
			t.Errorf("findings: %+v", findings)
		}
		mustWrite(t, library, index.Batch{Puts: []index.Put{indextest.Image(t, 20, indextest.Small)}, Remove: []index.ID{1}})
		mustWrite(t, library, index.Batch{Puts: []index.Put{indextest.Image(t, 0, indextest.Small)}, Remove: []index.ID{1}})
		if report, err := library.Check(t.Context()); err != nil || !report.Damaged() {
			t.Errorf("check: %+v, %v", report, err)
		}
		indextest.Must(t, library.Close())
		if now := segmentsIn(damaged); now < segments {
			t.Errorf("%d segments of %d are left", now, segments)
		}
	}
	library = openMemory(t, damaged)
	if report, err := library.Repair(t.Context()); err != nil || report.Repaired != 1 {
		t.Errorf("repair: %+v, %v", report, err)
	}
	indextest.Must(t, library.Close())
	library = openMemory(t, damaged)
	report, err := library.Check(t.Context())
	indextest.Must(t, err)
	if len(report.Findings) > 0 || len(library.Findings()) > 0 {
		t.Errorf("after repair: %+v, %+v", report.Findings, library.Findings())
	}
}

// TestMissingCommits: commits that are missing from the middle of the catalog are
// damage to check too, not only to opening, and repair makes an end of it.
func TestMissingCommits(t *testing.T) {
	files := vfstest.NewMemory()
	library, err := Open(t.Context(), "/library", Options{FileSystem: files, CheckpointBytes: 1 << 20})
	indextest.Must(t, err)
	fill(t, library, 6)
	indextest.Must(t, library.catalog.Rotate(t.Context(), library.view.state))
	fill(t, library, 12)
	indextest.Must(t, library.catalog.Rotate(t.Context(), library.view.state))
	fill(t, library, 15)
	indextest.Must(t, library.Close())
	// The newest checkpoint and the log before it are gone: what is read is the
	// checkpoint before, and the last log.
	damaged := without(files.Files(), func(name string) bool {
		return strings.HasSuffix(name, catalog.CheckpointName(3)) || strings.HasSuffix(name, catalog.LogName(2))
	})
	library = openMemory(t, damaged)
	found := len(library.Findings())
	if found == 0 {
		t.Error("opening finds nothing")
	}
	if report, err := library.Check(t.Context()); err != nil || len(report.Findings) != found || !report.Damaged() {
		t.Errorf("opening finds %+v, check %+v, %v", library.Findings(), report, err)
	}
	if report, err := library.Repair(t.Context()); err != nil || report.Repaired != found {
		t.Errorf("repair: %+v, %v", report, err)
	}
	indextest.Must(t, library.Close())
	library = openMemory(t, damaged)
	if report, err := library.Check(t.Context()); err != nil || len(report.Findings) > 0 {
		t.Errorf("after repair: %+v, %v", report, err)
	}
}
