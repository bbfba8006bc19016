package excerpt_test

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/excerpt"
	"mekiki/index/indextest"
	"mekiki/index/local"
	"mekiki/internal/vfs/vfstest"
)

// library has three pictures and a text; the first two pictures are in the collection "Shown", of which the second is hidden.
func library(t *testing.T) (index.Library, []index.ID) {
	t.Helper()
	opened, err := local.Open(t.Context(), "/library", local.Options{FileSystem: vfstest.NewMemory()})
	indextest.Must(t, err)
	t.Cleanup(func() { indextest.Must(t, opened.Close()) })
	var batch index.Batch
	for i := range 4 {
		record := index.Record{Kind: index.KindImage, Hash: index.Hash{byte(i + 1)}, Format: "jpeg", Files: []index.File{{Path: "/secret/place.jpg", Bytes: 1}}, Tags: []string{"private"}}
		record.Metadata.People, record.Metadata.Camera = []string{"Ada Lovelace"}, "Leica"
		record.Files[0].Path = "/secret/" + string(rune('a'+i)) + ".jpg"
		if i == 3 {
			record = index.Record{Kind: index.KindText, Hash: index.Hash{9}, Text: "words"}
		}
		batch.Puts = append(batch.Puts, index.Put{Record: record})
	}
	written, err := opened.Write(t.Context(), batch)
	indextest.Must(t, err)
	given := index.Batch{Given: []index.GivenChange{
		{ID: written.IDs[0], AddCollections: []string{"Shown", "Other"}},
		{ID: written.IDs[1], AddCollections: []string{"Shown"}, Set: index.GivenHidden, To: index.Given{Hidden: true}},
	}}
	_, err = opened.Write(t.Context(), given)
	indextest.Must(t, err)
	return excerpt.Guard(opened), written.IDs
}

func reader(t *testing.T, library index.Library, ctx context.Context) index.Reader {
	t.Helper()
	opened, err := library.Reader(ctx)
	indextest.Must(t, err)
	t.Cleanup(func() { indextest.Must(t, opened.Close()) })
	return opened
}

// TestNothingElseIsShown asks a reader in every way for what it does not show.
func TestNothingElseIsShown(t *testing.T) {
	guarded, ids := library(t)
	all := reader(t, guarded, t.Context())
	for _, details := range []bool{false, true} {
		ctx := excerpt.With(t.Context(), excerpt.Terms{Collection: "Shown", Details: details})
		r := reader(t, guarded, ctx)
		if r.Count(0) != 1 || r.Count(index.KindText) != 0 || r.Sequence() == all.Sequence() {
			t.Errorf("count %d, texts %d, commit %d", r.Count(0), r.Count(index.KindText), r.Sequence())
		}
		records, err := r.Records(ctx, ids)
		indextest.Must(t, err)
		if records[0] == nil || slices.ContainsFunc(records[1:], func(r *index.Record) bool { return r != nil }) {
			t.Errorf("records: %v", records)
		}
		if path, tags := records[0].Path(), len(records[0].Tags); path != map[bool]string{false: "1.jpeg", true: "a.jpg"}[details] || (tags > 0) != details || records[0].Given != nil {
			t.Errorf("path %q, %d tags, given %v", path, tags, records[0].Given)
		}
		var walked []index.ID
		for record, err := range r.All(ctx) {
			indextest.Must(t, err)
			walked = append(walked, record.ID)
		}
		if !slices.Equal(walked, ids[:1]) {
			t.Errorf("all: %v", walked)
		}
		testFilters(t, ctx, r, ids, details)
		if _, err := r.OpenOriginal(ctx, ids[2]); err == nil {
			t.Error("an original was opened")
		}
		if _, err := r.Thumbnail(ctx, ids[2]); err == nil {
			t.Error("a thumbnail was shown")
		}
		byPath, err := r.RecordsByPath(ctx, []string{"/secret/a.jpg"})
		indextest.Must(t, err)
		byHash, err := r.RecordsByHash(ctx, []index.Hash{{1}, {3}})
		indextest.Must(t, err)
		if byPath[0] != nil || byHash[0] == nil || byHash[1] != nil {
			t.Errorf("by path %v, by hash %v", byPath, byHash)
		}
	}
}

func testFilters(t *testing.T, ctx context.Context, r index.Reader, ids []index.ID, details bool) {
	t.Helper()
	yes := true
	told := map[bool]int{false: 0, true: 1}[details]
	for _, c := range []struct {
		filter index.Filter
		count  int
	}{
		{index.Filter{}, 1}, {index.Filter{IDs: ids}, 1}, {index.Filter{IDs: ids[1:]}, 0}, {index.Filter{IDs: []index.ID{}}, 1},
		{index.Filter{Hidden: index.ChoiceInclude, Trash: index.ChoiceInclude}, 1}, {index.Filter{Collections: []string{"Other"}}, 0},
		{index.Filter{Collections: []string{"Shown"}}, 1}, {index.Filter{Formats: []string{"jpeg"}}, 1}, {index.Filter{Kinds: []index.Kind{index.KindText}}, 0},
		{index.Filter{Tags: []string{"private"}}, told}, {index.Filter{People: []string{"Ada"}}, told}, {index.Filter{Cameras: []string{"Leica"}}, told},
		{index.Filter{Folders: []string{"/secret"}}, 0}, {index.Filter{Favourite: &yes}, 0},
	} {
		records, total, err := r.List(ctx, c.filter, index.Page{})
		indextest.Must(t, err)
		layout, err := r.Layout(ctx, c.filter, index.OrderAdded)
		indextest.Must(t, err)
		facets, err := r.Facets(ctx, c.filter)
		indextest.Must(t, err)
		words, err := r.Keyword(ctx, index.KeywordQuery{Text: "private"}, 10, c.filter)
		indextest.Must(t, err)
		if len(records) != c.count || total != c.count || len(layout.IDs) != c.count || facets.Total != c.count || len(words) > min(c.count, told) {
			t.Errorf("%+v, details %v: %d of %d listed, %d laid out, %d counted, %d found, expected %d", c.filter, details, len(records), total, len(layout.IDs), facets.Total, len(words), c.count)
		}
		if len(facets.Folders)+len(facets.Collections) > 0 || len(facets.Tags) > told {
			t.Errorf("counts: %+v", facets)
		}
	}
}

// TestWordsThatAreNotShown: nothing is found, or left out, by the words of folders and by others that the library has of a
// picture and an excerpt does not show.
func TestWordsThatAreNotShown(t *testing.T) {
	guarded, ids := library(t)
	metadata := index.Metadata{People: []string{"Ada Lovelace"}, Title: "At the lake", Label: "Purple", Generation: "a prompt", Keywords: []string{"boat"}}
	_, err := guarded.Write(t.Context(), index.Batch{Metadata: []index.MetadataChange{{ID: ids[0], Metadata: metadata}}})
	indextest.Must(t, err)
	ctx := excerpt.With(t.Context(), excerpt.Terms{Collection: "Shown", Details: true})
	r := reader(t, guarded, ctx)
	all := reader(t, guarded, t.Context())
	for _, c := range []struct {
		query index.KeywordQuery
		found int
	}{
		{index.KeywordQuery{Text: "private"}, 1}, {index.KeywordQuery{Text: "boats nothing"}, 1}, {index.KeywordQuery{Phrases: []string{"ada lovelace"}}, 1},
		{index.KeywordQuery{Text: "x", Phrases: []string{"the lake"}}, 1}, {index.KeywordQuery{Text: "nothing"}, 0}, {index.KeywordQuery{Phrases: []string{"lovelace ada"}}, 0},
		{index.KeywordQuery{Text: "secret"}, 0}, {index.KeywordQuery{Phrases: []string{"secret"}}, 0}, {index.KeywordQuery{Text: "lake", Phrases: []string{"secret"}}, 0},
		{index.KeywordQuery{Text: "purple"}, 0}, {index.KeywordQuery{Text: "prompt"}, 0},
		{index.KeywordQuery{Text: "lake", Exclude: []string{"secret"}}, 1}, {index.KeywordQuery{Text: "lake", Exclude: []string{"ada lovelace"}}, 0},
	} {
		hits, err := r.Keyword(ctx, c.query, 10, index.Filter{})
		indextest.Must(t, err)
		if len(hits) != c.found {
			t.Errorf("%+v: %v, expected %d", c.query, hits, c.found)
		}
	}
	plain, err := r.Keyword(ctx, index.KeywordQuery{Text: "lake"}, 10, index.Filter{})
	indextest.Must(t, err)
	both, err := r.Keyword(ctx, index.KeywordQuery{Text: "lake secret"}, 10, index.Filter{})
	indextest.Must(t, err)
	whole, err := all.Keyword(t.Context(), index.KeywordQuery{Text: "secret"}, 10, index.Filter{})
	indextest.Must(t, err)
	if len(plain) != 1 || len(both) != 1 || plain[0].Score != both[0].Score || len(whole) == 0 {
		t.Errorf("%v and %v; of all %v", plain, both, whole)
	}
}

// TestOneCollection: collections whose names differ by accents, which filters do not tell apart, are others.
func TestOneCollection(t *testing.T) {
	guarded, ids := library(t)
	given := index.Batch{Given: []index.GivenChange{
		{ID: ids[0], AddCollections: []string{"はは"}}, {ID: ids[1], Set: index.GivenHidden, AddCollections: []string{"ぱぱ"}}, {ID: ids[2], AddCollections: []string{"Shówn"}},
	}}
	_, err := guarded.Write(t.Context(), given)
	indextest.Must(t, err)
	for collection, want := range map[string][]index.ID{"Shown": ids[:2], "shown": ids[:2], "Shówn": ids[2:3], "はは": ids[:1], "ぱぱ": ids[1:2], "None": nil} {
		ctx := excerpt.With(t.Context(), excerpt.Terms{Collection: collection})
		layout, err := reader(t, guarded, ctx).Layout(ctx, index.Filter{}, index.OrderAdded)
		indextest.Must(t, err)
		if !slices.Equal(layout.IDs, want) {
			t.Errorf("%s: %v, expected %v", collection, layout.IDs, want)
		}
	}
}

// TestZonesAreDetails: no bound tells how far a camera's clock was ahead.
func TestZonesAreDetails(t *testing.T) {
	guarded, ids := library(t)
	ahead := 9 * time.Hour
	metadata := index.Metadata{Taken: time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC), TakenOffset: &ahead}
	_, err := guarded.Write(t.Context(), index.Batch{Metadata: []index.MetadataChange{{ID: ids[0], Metadata: metadata}}})
	indextest.Must(t, err)
	eleven := time.Date(2024, 5, 1, 11, 0, 0, 0, time.UTC)
	for details, want := range map[bool]int{false: 1, true: 0} { // at 11:00 in UTC it was evening there
		ctx := excerpt.With(t.Context(), excerpt.Terms{Collection: "Shown", Details: details})
		for _, bound := range []time.Time{eleven, time.Date(2024, 5, 1, 11, 0, 0, 0, time.FixedZone("", 3600))} {
			_, total, err := reader(t, guarded, ctx).List(ctx, index.Filter{After: bound, AfterZoned: true}, index.Page{})
			indextest.Must(t, err)
			if total != want {
				t.Errorf("details %v, after %v: %d, expected %d", details, bound, total, want)
			}
		}
	}
}

// TestEveryFilterIsThoughtOf: a member of a filter that an excerpt without details answers is named here.
func TestEveryFilterIsThoughtOf(t *testing.T) {
	guarded, _ := library(t)
	ctx := excerpt.With(t.Context(), excerpt.Terms{Collection: "Shown"})
	r := reader(t, guarded, ctx)
	answered := []string{"Kinds", "Formats", "Sizes", "IDs", "Collections", "After", "Before", "AfterZoned", "BeforeZoned", "Taken", "Hidden", "Trash"}
	for i := range reflect.TypeFor[index.Filter]().NumField() {
		field := reflect.TypeFor[index.Filter]().Field(i)
		if slices.Contains(answered, field.Name) {
			continue
		}
		var filter index.Filter
		value := reflect.ValueOf(&filter).Elem().Field(i)
		switch field.Type.Kind() {
		case reflect.Slice:
			value.Set(reflect.MakeSlice(field.Type, 1, 1))
		case reflect.Pointer:
			value.Set(reflect.New(field.Type.Elem()))
		default:
			t.Fatalf("filter %s is of a kind that this test does not know", field.Name)
		}
		if _, total, err := r.List(ctx, filter, index.Page{}); err != nil || total != 0 {
			t.Errorf("%s is answered: %d, %v", field.Name, total, err)
		}
	}
}
