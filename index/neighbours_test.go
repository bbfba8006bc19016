package index

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/internal/vfs"
)

// TestVectorsAreLoadedWhenSearched: with DeferVectors nothing is loaded before
// the first search, and snapshots of several commits, searched in any order,
// each answer as one that was searched at once.
func TestVectorsAreLoadedWhenSearched(t *testing.T) {
	files := vfs.NewMemory()
	eager := openMemory(t, files)
	fill(t, eager, 8)
	mustDo(t, eager.Close())
	search := func(s *Snapshot) []Neighbour {
		found, err := s.NearestImages(t.Context(), unit(1, 1, small.Width).Values, 20, Filter{})
		mustDo(t, err)
		return found
	}
	writer := openTest(t, "/library", Options{FileSystem: files, DeferVectors: true})
	var snapshots []*Snapshot
	var numbers []int
	for number := range uint64(4) {
		mustWrite(t, writer, Batch{Puts: []Put{testPut(t, 20+number, small)}, Remove: []ID{ID(number + 1)}})
		snapshot := writer.Snapshot()
		defer snapshot.Close()
		snapshots = append(snapshots, snapshot)
		numbers = append(numbers, snapshot.Count(0))
	}
	if writer.derived.vectors.loaded.Load() {
		t.Error("vectors were loaded before the first search")
	}
	for _, i := range []int{2, 0, 3, 1, 2} {
		want := map[ID]bool{}
		for record := range snapshots[i].All() {
			want[record.ID] = true
		}
		got := map[ID]bool{}
		for _, found := range search(snapshots[i]) {
			got[found.ID] = true
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) != numbers[i] {
			t.Errorf("snapshot %d finds others than it holds:\n%s", i, diff)
		}
	}
	_, err := writer.Compact(t.Context())
	mustDo(t, err)
	after := writer.Snapshot()
	defer after.Close()
	if diff := cmp.Diff(search(snapshots[3]), search(after)); diff != "" {
		t.Errorf("after compaction:\n%s", diff)
	}
}

// TestSearchesAtOnce: many first searches, of several commits, while a writer
// goes on.
func TestSearchesAtOnce(t *testing.T) {
	library := openTest(t, "/library", Options{FileSystem: vfs.NewMemory(), DeferVectors: true})
	fill(t, library, 30)
	var group sync.WaitGroup
	for worker := range uint64(8) {
		group.Go(func() {
			for range 20 {
				snapshot := library.Snapshot()
				found, err := snapshot.NearestImages(t.Context(), unit(worker, 1, small.Width).Values, 100, Filter{})
				if err != nil || len(found) != snapshot.Count(KindImage) {
					t.Errorf("%d of %d found: %v", len(found), snapshot.Count(KindImage), err)
				}
				if err := snapshot.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for number := range uint64(20) {
		mustWrite(t, library, Batch{Puts: []Put{testPut(t, 100+number, small)}})
	}
	group.Wait()
}
