package local

import (
	"fmt"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/internal/vfs/vfstest"
)

// TestManyFilesOfOneRecord: a record is logged once in a commit, however many of the
// commit's changes are about it. A library has pictures, such as one that says that a
// picture is missing, of which there are tens of thousands of copies.
func TestManyFilesOfOneRecord(t *testing.T) {
	files := vfstest.NewMemory()
	library := openMemory(t, files)
	fill(t, library, 1)
	const copies = 1500
	var batch index.Batch
	length := 0
	for number := range uint64(copies) {
		file := indextest.File(1000 + number)
		length += len(file.Path) + 40
		batch.Attach = append(batch.Attach, index.Attach{ID: 1, File: file})
	}
	before := library.catalog.Log.Size()
	mustWrite(t, library, batch)
	if grown := library.catalog.Log.Size() - before; grown > int64(length) {
		t.Errorf("%d copies made the log %d bytes longer", copies, grown)
	}
	check := func(l *Library, files int) {
		t.Helper()
		snapshot := l.Snapshot()
		defer snapshot.Close()
		record, there := snapshot.record(1)
		if !there || len(record.Files) != files {
			t.Fatalf("%v, %d files", there, len(record.Files))
		}
		for _, file := range record.Files {
			if found, _ := snapshot.recordByPath(file.Path); found != record {
				t.Fatalf("%s belongs to %v", file.Path, found)
			}
		}
	}
	check(library, copies+1)
	mustWrite(t, library, index.Batch{Detach: []string{indextest.File(1003).Path, indextest.File(0).Path, indextest.File(1000 + copies - 1).Path}})
	check(library, copies-2)
	indextest.Must(t, library.Close())
	check(openMemory(t, files), copies-2)
}

// TestNumbersAreNeverReused: a record that comes and goes in one commit takes its ID
// with it, also when the library is opened again.
func TestNumbersAreNeverReused(t *testing.T) {
	files := vfstest.NewMemory()
	library := openMemory(t, files)
	fill(t, library, 2)
	for round := range uint64(2) {
		result := mustWrite(t, library, index.Batch{
			Puts:   []index.Put{indextest.Image(t, 10+round, indextest.Small), indextest.Image(t, 20+round, indextest.Small)},
			Detach: []string{indextest.File(10 + round).Path, indextest.File(20 + round).Path},
		})
		if want := []index.ID{3 + 2*index.ID(round), 4 + 2*index.ID(round)}; fmt.Sprint(result.IDs) != fmt.Sprint(want) || result.Removed != 2 {
			t.Errorf("records %v, want %v; %d removed", result.IDs, want, result.Removed)
		}
		indextest.Must(t, library.Close())
		library = openMemory(t, files)
		if space := library.view.state.Serving(); space.Locations.Count != 2 {
			t.Errorf("%d records have vectors", space.Locations.Count)
		}
	}
	if result := mustWrite(t, library, index.Batch{Puts: []index.Put{indextest.Image(t, 30, indextest.Small)}}); result.IDs[0] != 7 {
		t.Errorf("record %v, want 7", result.IDs)
	}
}
