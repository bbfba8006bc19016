package local

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/maintain"
	"mekiki/internal/vfs/vfstest"
)

func everythingGiven() index.Given {
	rating := 0
	return index.Given{
		Rating: &rating, Favourite: true, Title: "Grandma's garden", Date: indextest.Time.AddDate(-40, 0, 0), Hidden: true,
		Collections: []string{"Best", "Family"}, Trashed: indextest.Time,
		Description: "Behind the house", People: []string{"Ada", "Bo"},
	}
}

func mustGiven(t *testing.T, library *Library, path string, want *index.Given) {
	t.Helper()
	if diff := gocmp.Diff(want, mustRecord(t, library, path).Given); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestGivenLasts: what people gave a record outlives logs, checkpoints, readers and backups,
// reading the file again, moving it, changing it, and the loss and return of its content.
func TestGivenLasts(t *testing.T) {
	fsys, now := vfstest.NewMemory(), indextest.Time
	for _, checkpoint := range []int64{1, 1 << 20} {
		folder := fmt.Sprintf("/library-%d", checkpoint)
		options := Options{CheckpointBytes: checkpoint, FileSystem: fsys, Now: func() time.Time { return now }}
		library := openTest(t, folder, options)
		indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
		ids := mustWrite(t, library, index.Batch{Puts: []index.Put{tagged(t, 1), tagged(t, 2)}}).IDs
		options.ReadOnly = true
		reader := openTest(t, folder, options)
		options.ReadOnly = false

		given, path := everythingGiven(), indextest.File(1).Path
		mustWrite(t, library, index.Batch{
			Given:        []index.GivenChange{{ID: ids[0], Set: 511, To: given}},
			SaveSearches: []index.SavedSearch{{Name: "Cats", Query: "q=cat"}},
		})
		mustGiven(t, library, path, &given)
		_, err := reader.Refresh(t.Context())
		indextest.Must(t, err)
		mustGiven(t, reader, path, &given)

		moved := indextest.File(7)
		mustWrite(t, library, index.Batch{Metadata: []index.MetadataChange{{ID: ids[0], Metadata: index.Metadata{Title: "DSC0001"}, Version: 3}}})
		mustWrite(t, library, index.Batch{Attach: []index.Attach{{ID: ids[0], File: moved}}, Detach: []string{path}})
		mustGiven(t, library, moved.Path, &given)
		changed := tagged(t, 5)
		changed.Record.Files, changed.Replaces, changed.Vectors = []index.File{moved}, indextest.Image(t, 1, indextest.Small).Record.Hash, index.Vectors{}
		mustWrite(t, library, index.Batch{Puts: []index.Put{changed}})
		mustGiven(t, library, moved.Path, &given)

		mustWrite(t, library, index.Batch{Detach: []string{moved.Path}})
		indextest.Must(t, library.Close())
		library = openTest(t, folder, options)
		changed.Replaces = index.Hash{}
		mustWrite(t, library, index.Batch{Puts: []index.Put{changed}})
		mustGiven(t, library, moved.Path, &given)

		archive := backupOf(t, library)
		target := filepath.Join(t.TempDir(), "library")
		indextest.Must(t, maintain.Restore(t.Context(), bytes.NewReader(archive), target))
		restored := openTest(t, target, Options{})
		mustGiven(t, restored, moved.Path, &given)
		mustGiven(t, restored, indextest.File(2).Path, nil)
		_, err = reader.Refresh(t.Context())
		indextest.Must(t, err)
		for _, opened := range []*Library{library, restored, reader} {
			snapshot := opened.Snapshot()
			searches, err := snapshot.SavedSearches(t.Context())
			indextest.Must(t, err)
			if len(searches) != 1 || searches[0].Query != "q=cat" {
				t.Errorf("saved searches %+v", searches)
			}
			if _, total, err := snapshot.List(t.Context(), index.Filter{}, index.Page{}); err != nil || total != 1 {
				t.Errorf("%d records are listed: %v", total, err)
			}
			indextest.Must(t, snapshot.Close())
		}
	}
}

// TestTrashComesBackWhole: what was in the trash is found as before, by vectors and words.
func TestTrashComesBackWhole(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	fill(t, library, 3)
	found := func() string {
		snapshot := library.Snapshot()
		defer snapshot.Close()
		near, err := snapshot.Nearest(t.Context(), index.KindImage, indextest.Unit(1, 3, 8).Values, 9, index.Filter{})
		indextest.Must(t, err)
		words, err := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: "beside", ScoresOnly: true}, 9, index.Filter{})
		indextest.Must(t, err)
		facets, err := snapshot.Facets(t.Context(), index.Filter{})
		indextest.Must(t, err)
		return fmt.Sprint(near, words, facets)
	}
	before := found()
	indextest.Must(t, index.Trash(t.Context(), library, indextest.Time, 1, 2))
	if during := found(); during == before {
		t.Errorf("%s is found in the trash", during)
	}
	snapshot := library.Snapshot()
	defer snapshot.Close()
	for moment, want := range map[time.Time]int{indextest.Time: 0, indextest.Time.Add(1): 2} {
		if list, err := index.InTrashBefore(t.Context(), snapshot, moment); err != nil || len(list) != want {
			t.Errorf("%d in the trash before %v: %v", len(list), moment, err)
		}
	}
	indextest.Must(t, index.Untrash(t.Context(), library, 1, 2, 3))
	if after := found(); after != before {
		t.Errorf("%s is found, before %s", after, before)
	}
	if err := index.Trash(t.Context(), library, indextest.Time, 1, 99); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("an unknown record: %v", err)
	}
}

// TestManyEditsAreOneCommit changes 5,000 records at once, with a log that grows by what
// was given and not by the records.
func TestManyEditsAreOneCommit(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	var batch index.Batch
	for number := range uint64(5000) {
		put := indextest.Image(t, number, indextest.Small)
		put.Vectors, put.Thumbnail = index.Vectors{}, nil
		batch.Puts = append(batch.Puts, put)
	}
	written := mustWrite(t, library, batch)
	before := library.catalog.Log.Size()
	batch = index.Batch{}
	for _, id := range written.IDs {
		batch.Given = append(batch.Given, index.GivenChange{ID: id, Set: index.GivenFavourite, To: index.Given{Favourite: true}})
	}
	if edited := mustWrite(t, library, batch); edited.Sequence != written.Sequence+1 {
		t.Errorf("commit %d follows commit %d", edited.Sequence, written.Sequence)
	}
	if grown := library.catalog.Log.Size() - before; grown > 5000*30 {
		t.Errorf("the log grew by %d bytes", grown)
	}
	if again := mustWrite(t, library, batch); again.Sequence != written.Sequence+1 {
		t.Error("what changes nothing is a commit")
	}
}

// TestGivenIsBounded: a batch with too much of something changes nothing.
func TestGivenIsBounded(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	fill(t, library, 1)
	six, below := 6, -1
	var many []string
	for i := range index.MaximumCollections + 1 {
		many = append(many, fmt.Sprint(i))
	}
	for name, batch := range map[string]index.Batch{
		"rating 6":          {Given: []index.GivenChange{{ID: 1, Set: index.GivenRating, To: index.Given{Rating: &six}}}},
		"rating -1":         {Given: []index.GivenChange{{ID: 1, Set: index.GivenRating, To: index.Given{Rating: &below}}}},
		"long title":        {Given: []index.GivenChange{{ID: 1, Set: index.GivenTitle, To: index.Given{Title: strings.Repeat("x", index.MaximumTitle+1)}}}},
		"broken title":      {Given: []index.GivenChange{{ID: 1, Set: index.GivenTitle, To: index.Given{Title: "\xff"}}}},
		"year 20000":        {Given: []index.GivenChange{{ID: 1, Set: index.GivenDate, To: index.Given{Date: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)}}}},
		"many collections":  {Given: []index.GivenChange{{ID: 1, AddCollections: many}}},
		"long collection":   {Given: []index.GivenChange{{ID: 1, AddCollections: []string{strings.Repeat("x", index.MaximumName+1)}}}},
		"broken collection": {Given: []index.GivenChange{{ID: 1, AddCollections: []string{"\xff"}}}},
		"long query":        {SaveSearches: []index.SavedSearch{{Name: "x", Query: strings.Repeat("x", index.MaximumQuery+1)}}},
		"no query":          {SaveSearches: []index.SavedSearch{{Name: "x"}}},
		"blank name":        {SaveSearches: []index.SavedSearch{{Name: " ", Query: "q"}}},
		"many searches": {SaveSearches: slices.Collect(func(yield func(index.SavedSearch) bool) {
			for i := range index.MaximumSearches + 1 {
				if !yield(index.SavedSearch{Name: fmt.Sprint(i), Query: "q"}) {
					return
				}
			}
		})},
	} {
		if _, err := library.Write(t.Context(), batch); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	snapshot := library.Snapshot()
	defer snapshot.Close()
	if record, _ := snapshot.record(1); record.Given != nil {
		t.Errorf("%+v", record.Given)
	}
}
