package local

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/block"
	"mekiki/index/local/segment"
	"mekiki/index/vector"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

// TestVectorsAreLoadedWhenSearched: with DeferVectors nothing is loaded before
// the first search, and snapshots of several commits, searched in any order,
// each answer as one that was searched at once.
func TestVectorsAreLoadedWhenSearched(t *testing.T) {
	files := vfstest.NewMemory()
	eager := openMemory(t, files)
	fill(t, eager, 8)
	indextest.Must(t, eager.Close())
	search := func(s *Snapshot) []index.Neighbour {
		found, err := s.NearestImages(t.Context(), indextest.Unit(1, 1, indextest.Small.Width).Values, 20, index.Filter{})
		indextest.Must(t, err)
		return found
	}
	writer := openTest(t, "/library", Options{FileSystem: files, DeferVectors: true})
	var snapshots []*Snapshot
	var numbers []int
	for number := range uint64(4) {
		mustWrite(t, writer, index.Batch{Puts: []index.Put{indextest.Image(t, 20+number, indextest.Small)}, Remove: []index.ID{index.ID(number + 1)}})
		snapshot := writer.Snapshot()
		defer snapshot.Close()
		snapshots = append(snapshots, snapshot)
		numbers = append(numbers, snapshot.Count(0))
	}
	if writer.derived.vectors.Loaded() {
		t.Error("vectors were loaded before the first search")
	}
	for _, i := range []int{2, 0, 3, 1, 2} {
		want := map[index.ID]bool{}
		for record := range snapshots[i].all() {
			want[record.ID] = true
		}
		got := map[index.ID]bool{}
		for _, found := range search(snapshots[i]) {
			got[found.ID] = true
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) != numbers[i] {
			t.Errorf("snapshot %d finds others than it holds:\n%s", i, diff)
		}
	}
	_, err := writer.Compact(t.Context())
	indextest.Must(t, err)
	after := writer.Snapshot()
	defer after.Close()
	if diff := cmp.Diff(search(snapshots[3]), search(after)); diff != "" {
		t.Errorf("after compaction:\n%s", diff)
	}
}

// TestGrowingLibraryLetsGoOfVectors: a library that was small when it was opened
// keeps no more in memory than one that is opened when it is large.
func TestGrowingLibraryLetsGoOfVectors(t *testing.T) {
	files := vfstest.NewMemory()
	library := openTest(t, "/library", Options{FileSystem: files, keptVectors: 10 * indextest.Small.Parts})
	oracle := openTest(t, "/oracle", Options{FileSystem: files})
	for _, l := range []*Library{library, oracle} {
		indextest.Must(t, l.AddSpace(t.Context(), indextest.Small))
	}
	for number := range uint64(20) {
		var found [2][]index.Neighbour
		for i, l := range []*Library{library, oracle} {
			mustWrite(t, l, index.Batch{Puts: []index.Put{indextest.Image(t, number, indextest.Small)}})
			snapshot := l.Snapshot()
			var err error
			found[i], err = snapshot.NearestImages(t.Context(), indextest.Unit(1, 1, indextest.Small.Width).Values, 30, index.Filter{})
			indextest.Must(t, err)
			indextest.Must(t, snapshot.Close())
		}
		if diff := cmp.Diff(found[1], found[0]); diff != "" {
			t.Errorf("after %d: %s", number, diff)
		}
		if keeps := library.derived.vectors.KeepsVectors(); keeps != (number < 10) {
			t.Errorf("after %d: keeps vectors: %v", number, keeps)
		}
	}
}

// TestGrownListsAreSaved: what a library built while it grew is there when it is
// opened again.
func TestGrownListsAreSaved(t *testing.T) {
	files := vfstest.NewMemory()
	options := Options{FileSystem: files, keptVectors: 1, approximateFrom: 6}
	library := openTest(t, "/library", options)
	fill(t, library, 12)
	snapshot := library.Snapshot()
	want, err := snapshot.NearestImages(t.Context(), indextest.Unit(1, 1, indextest.Small.Width).Values, 5, index.Filter{})
	indextest.Must(t, err)
	indextest.Must(t, snapshot.Close())
	indextest.Must(t, library.Close())
	lists := files.Files()["/library/derived/vectors/0001-images.graph"]
	if len(lists) < 200 {
		t.Fatalf("%d bytes of lists", len(lists))
	}
	library = openTest(t, "/library", options)
	if again := files.Files()["/library/derived/vectors/0001-images.graph"]; !bytes.Equal(lists, again) {
		t.Error("the inverted lists were saved again")
	}
	snapshot = library.Snapshot()
	got, err := snapshot.NearestImages(t.Context(), indextest.Unit(1, 1, indextest.Small.Width).Values, 5, index.Filter{})
	indextest.Must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	indextest.Must(t, snapshot.Close())
	indextest.Must(t, library.Close())
	if again := files.Files()["/library/derived/vectors/0001-images.graph"]; !bytes.Equal(lists, again) {
		t.Error("the inverted lists were saved again, although nothing has grown")
	}
}

// TestNothingIsSavedOfNoTexts: of a kind without records nothing is saved that the next opening could not read.
func TestNothingIsSavedOfNoTexts(t *testing.T) {
	var log bytes.Buffer
	options := Options{FileSystem: vfstest.NewMemory(), Method: vector.HNSW, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	library := openTest(t, "/library", options)
	fill(t, library, 12)
	for range 2 {
		indextest.Must(t, library.Close())
		library = openTest(t, "/library", options)
	}
	indextest.Must(t, library.Close())
	if strings.Contains(log.String(), "build the graph") {
		t.Error(log.String())
	}
}

// TestSearchesAtOnce: many first searches, of several commits, while a writer
// goes on.
func TestSearchesAtOnce(t *testing.T) {
	library := openTest(t, "/library", Options{FileSystem: vfstest.NewMemory(), DeferVectors: true})
	fill(t, library, 30)
	var group sync.WaitGroup
	for worker := range uint64(8) {
		group.Go(func() {
			for range 20 {
				snapshot := library.Snapshot()
				found, err := snapshot.NearestImages(t.Context(), indextest.Unit(worker, 1, indextest.Small.Width).Values, 100, index.Filter{})
				if err != nil || len(found) != snapshot.Count(index.KindImage) {
					t.Errorf("%d of %d found: %v", len(found), snapshot.Count(index.KindImage), err)
				}
				if err := snapshot.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for number := range uint64(20) {
		mustWrite(t, library, index.Batch{Puts: []index.Put{indextest.Image(t, 100+number, indextest.Small)}})
	}
	group.Wait()
}

// TestFilteredSearchIsExact: whatever the filter, a search gives the best of
// what passes, each filter asked of plain code.
func TestFilteredSearchIsExact(t *testing.T) {
	library := openTest(t, "/library", Options{FileSystem: vfstest.NewMemory()})
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	random := rand.New(rand.NewPCG(5, 5))
	cameras := []string{"Canon EOS R5", "NIKON Z 6", "", "Ｃanon wide"}
	folders := []string{"/photos/2024/Paris", "/photos/2025/paris", "/scans", "/photos/2025"}
	formats := []string{"jpeg", "png", "heic"}
	const n = 400
	for first := 0; first < n; first += 100 {
		var batch index.Batch
		for number := range uint64(100) {
			put := indextest.Image(t, uint64(first)+number, indextest.Small)
			r := &put.Record
			r.Files = []index.File{{Path: filepath.FromSlash(fmt.Sprintf("%s/%d.jpg", folders[random.IntN(4)], uint64(first)+number)), Bytes: 1, Modified: indextest.Time}}
			r.Metadata.Camera, r.Format = cameras[random.IntN(4)], formats[random.IntN(3)]
			r.Metadata.Taken = indextest.Time.AddDate(0, 0, random.IntN(100))
			r.Tags, r.Metadata.Keywords = []string{[]string{"Holiday", "work"}[random.IntN(2)]}, []string{[]string{"cat", "Dog"}[random.IntN(2)]}
			batch.Puts = append(batch.Puts, put)
		}
		mustWrite(t, library, batch)
	}
	folded := strings.ToLower
	type condition struct {
		filter index.Filter
		holds  func(*index.Record) bool
	}
	conditions := []condition{
		{index.Filter{Folders: []string{"paris"}}, func(r *index.Record) bool { return strings.Contains(folded(r.Files[0].Path), "paris") }},
		{index.Filter{Folders: []string{"/photos/2025", "/scans"}}, func(r *index.Record) bool {
			return strings.HasPrefix(r.Files[0].Path, "/photos/2025/") || strings.HasPrefix(r.Files[0].Path, "/scans/")
		}},
		{index.Filter{Cameras: []string{"canon"}}, func(r *index.Record) bool {
			return strings.HasSuffix(strings.Split(r.Metadata.Camera+" ", " ")[0], "anon")
		}},
		{index.Filter{Tags: []string{"dog"}}, func(r *index.Record) bool { return r.Metadata.Keywords[0] == "Dog" }},
		{index.Filter{Tags: []string{"HOLIDAY"}}, func(r *index.Record) bool { return r.Tags[0] == "Holiday" }},
		{index.Filter{Formats: []string{"jpg"}}, func(r *index.Record) bool { return r.Format == "jpeg" }},
		{index.Filter{After: indextest.Time.AddDate(0, 0, 20), Before: indextest.Time.AddDate(0, 0, 60)}, func(r *index.Record) bool {
			return !r.Metadata.Taken.Before(indextest.Time.AddDate(0, 0, 20)) && r.Metadata.Taken.Before(indextest.Time.AddDate(0, 0, 60))
		}},
		{index.Filter{IDs: []index.ID{3, 77, 399, 5000}}, func(r *index.Record) bool { return r.ID == 3 || r.ID == 77 || r.ID == 399 }},
		{index.Filter{Kinds: []index.Kind{index.KindText}}, func(r *index.Record) bool { return false }},
	}
	snapshot := library.Snapshot()
	defer snapshot.Close()
	query := indextest.Unit(9, 1, indextest.Small.Width).Values
	all, err := snapshot.NearestImages(t.Context(), query, n, index.Filter{})
	indextest.Must(t, err)
	for range 2 { // the second time from what is remembered
		for _, c := range conditions {
			want := []index.Neighbour{}
			for _, neighbour := range all {
				if record, _ := snapshot.record(neighbour.ID); c.holds(record) && len(want) < 10 {
					want = append(want, neighbour)
				}
			}
			got, err := snapshot.NearestImages(t.Context(), query, 10, c.filter)
			indextest.Must(t, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%+v:\n%s", c.filter, diff)
			}
		}
	}
}

// TestLargeIndexes: an index that keeps codes only, and one with inverted lists, find
// what a small one finds; lists are saved, read again, and made again when they
// are damaged; vectors that go bad at rest cost one record and a finding.
func TestLargeIndexes(t *testing.T) {
	for method, lists := range map[vector.Method]string{
		vector.Automatic: "0001-images.graph", vector.HNSW: "0001-images.graph", vector.IVF: "0001-images.cells",
	} {
		t.Run(string(method), func(t *testing.T) { testLargeIndexes(t, method, "/library/derived/vectors/"+lists) })
	}
}

func testLargeIndexes(t *testing.T, method vector.Method, lists string) {
	t.Helper()
	files := vfstest.NewMemory()
	library := openMemory(t, files)
	fill(t, library, 60)
	search := func(l *Library) []index.Neighbour {
		snapshot := l.Snapshot()
		defer snapshot.Close()
		found, err := snapshot.NearestImages(t.Context(), indextest.Unit(3, 2, indextest.Small.Width).Values, 10, index.Filter{})
		indextest.Must(t, err)
		return found
	}
	want := search(library)
	indextest.Must(t, library.Close())
	open := func(options Options) *Library {
		options.FileSystem, options.Method = files, method
		return openTest(t, "/library", options)
	}
	large := Options{keptVectors: 1, approximateFrom: 50}
	for name, options := range map[string]Options{"codes": {keptVectors: 1}, "lists": {approximateFrom: 50}, "both": large, "read": large} {
		reopened := open(options)
		if diff := cmp.Diff(want, search(reopened)); diff != "" {
			t.Errorf("%s: finds others:\n%s", name, diff)
		}
		indextest.Must(t, reopened.Close())
	}
	saved, err := vfs.ReadFile(files, lists, 1<<20)
	if err != nil || len(saved) < 1000 {
		t.Fatalf("%d bytes of lists: %v", len(saved), err)
	}
	damaged := bytes.Clone(saved)
	damaged[len(damaged)-5] ^= 1 // it is read when the library is opened
	files.Put(lists, damaged)
	again := open(large)
	if diff := cmp.Diff(want, search(again)); diff != "" {
		t.Errorf("with damaged lists:\n%s", diff)
	}
	if repaired, err := vfs.ReadFile(files, lists, 1<<20); err != nil || !bytes.Equal(repaired, saved) {
		t.Errorf("damaged lists were not saved again: %v", err)
	}
	// The best goes bad on the disk while the library is open.
	snapshot := again.Snapshot()
	name, content := withDamage(t, files, snapshot, want[0].ID)
	snapshot.Close()
	indextest.Must(t, writeAt(files, name, content))
	got := search(again)
	if diff := cmp.Diff(want[1:], got[:9]); diff != "" {
		t.Errorf("after damage:\n%s", diff)
	}
	if len(again.Findings()) != 1 {
		t.Errorf("findings: %v", again.Findings())
	}
}

// withDamage gives the segment of a record's vectors, with the last bit of them flipped.
func withDamage(t *testing.T, files vfs.FS, s *Snapshot, id index.ID) (name string, content []byte) {
	t.Helper()
	where, _ := s.view.state.Serving().Locations.Get(id)
	name = filepath.Join("/library", segment.Key{Space: 1, Kind: block.Vectors, Number: where.Vectors.Segment}.Path())
	content, err := vfs.ReadFile(files, name, 1<<20)
	indextest.Must(t, err)
	content[where.Vectors.Offset+where.Vectors.Length-1] ^= 1
	return name, content
}

// writeAt changes a file in place, as those see it who have it open.
func writeAt(files vfs.FS, name string, data []byte) error {
	file, err := files.OpenWrite(name)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(data, 0)
	return errors.Join(err, file.Close())
}
