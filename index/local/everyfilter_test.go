package local

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/indextest"
	"mekiki/internal/vfs/vfstest"
)

// TestEveryFilter asks the records, the columns and the keyword index for the same by
// filters drawn from the table: of each field its example and the values that the
// library counts. The example of each field must part the records, and so prove it.
func TestEveryFilter(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 9))
	library := openMemory(t, vfstest.NewMemory())
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	var ids []index.ID
	for number := range uint64(60) {
		put := indextest.Image(t, number+1, indextest.Small)
		describeAtRandom(random, &put.Record, number)
		ids = append(ids, mustWrite(t, library, index.Batch{Puts: []index.Put{put}}).IDs...)
		if number%2 == 0 {
			mustWrite(t, library, index.Batch{Given: []index.GivenChange{givenAtRandom(random, ids[number])}})
		}
	}
	put := indextest.Image(t, 99, indextest.Small)
	put.Record = index.Record{Kind: index.KindText, Hash: put.Record.Hash, Text: "a lantern"}
	put.Thumbnail, put.Vectors.Tokens, put.Vectors.Parts = nil, nil, indextest.Unit(99, 1, indextest.Small.Width)
	ids = append(ids, mustWrite(t, library, index.Batch{Puts: []index.Put{put}}).IDs...)
	snapshot := library.Snapshot()
	defer snapshot.Close()
	facets, err := snapshot.Facets(t.Context(), index.Filter{})
	indextest.Must(t, err)
	values := map[filters.Name][]string{}
	fields := slices.DeleteFunc(filters.Fields(), func(field filters.Field) bool { return field.Name == filters.IDs })
	for _, field := range fields {
		_, example, _ := strings.Cut(field.Example, ":")
		values[field.Name] = []string{strings.Trim(example, `"`)}
		if field.Counts != nil {
			for _, count := range field.Counts(facets) {
				values[field.Name] = append(values[field.Name], count.Value)
			}
		}
		var filter index.Filter
		indextest.Must(t, field.Set(&filter, values[field.Name][0], filters.Reading{}))
		if passed := agreed(t, snapshot, ids, filter); passed == 0 || passed == len(ids) {
			t.Errorf("%d of %d records pass %s: give describeAtRandom some that do and some that do not", passed, len(ids), field.Example)
		}
	}
	for range 150 {
		var filter index.Filter
		for range 1 + random.IntN(3) {
			field := fields[random.IntN(len(fields))]
			_ = field.Set(&filter, values[field.Name][random.IntN(len(values[field.Name]))], filters.Reading{}) // a second one may be refused
		}
		if random.IntN(5) == 0 {
			filter = filters.OnlyIDs(filter, ids[:random.IntN(len(ids))])
		}
		agreed(t, snapshot, ids, filter)
	}
}

// agreed fails where records, columns and the keyword index do not say the same, and
// gives how many records pass.
func agreed(t *testing.T, snapshot *Snapshot, ids []index.ID, filter index.Filter) int {
	t.Helper()
	matched, listed, said := []index.ID{}, []index.ID{}, []index.ID{}
	for _, id := range ids {
		if snapshot.Matches(id, filter) {
			matched = append(matched, id)
		}
	}
	records, _, err := snapshot.List(t.Context(), filter, index.Page{})
	indextest.Must(t, err)
	for _, record := range records {
		listed = append(listed, record.ID)
	}
	hits, err := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: "lantern"}, len(ids), filter)
	indextest.Must(t, err)
	for _, hit := range hits {
		said = append(said, hit.ID)
	}
	slices.Sort(said)
	if !slices.Equal(matched, listed) || !slices.Equal(matched, said) {
		t.Errorf("%+v:\nrecords %v\ncolumns %v\nwords   %v", filter, matched, listed, said)
	}
	return len(matched)
}

// givenAtRandom gives a record some of what the filters' examples ask for.
func givenAtRandom(random *rand.Rand, id index.ID) index.GivenChange {
	rating, given := random.IntN(6), index.Given{Favourite: random.IntN(2) == 0, Hidden: random.IntN(4) == 0}
	given.Collections = [][]string{nil, {"Best of 2024"}, {"Trips", "best of 2024"}}[random.IntN(3)]
	if random.IntN(2) == 0 {
		given.Rating, given.Date = &rating, time.Date(2024, 5, 26+random.IntN(10), random.IntN(24), 0, 0, 0, time.UTC)
	}
	given.People = [][]string{nil, {"Ada Lovelace"}, {"Bo"}}[random.IntN(3)]
	if random.IntN(6) == 0 {
		given.Trashed = indextest.Time
	}
	return index.GivenChange{ID: id, Set: 511, To: given}
}

// describeAtRandom gives a record some of what the filters' examples ask for.
func describeAtRandom(random *rand.Rand, r *index.Record, number uint64) {
	pick := func(values ...string) string { return values[random.IntN(len(values))] }
	r.Captions = []index.Caption{{Text: "a lantern"}}
	r.Files[0].Path = fmt.Sprintf("/photos/%s/%d.%s", pick("Holiday 2024", "holiday/day 2", "Home"), number, r.Format)
	r.Format = pick("jpeg", "png", "heic")
	if r.Width, r.Height = 4000, 2000; random.IntN(2) == 0 {
		r.Width = 3000
	}
	r.Tags = []string{pick("family", "Family/Ada", "sea")}
	if random.IntN(2) == 0 {
		r.OCR = &index.OCR{Model: "m", Lines: []index.OCRLine{{Text: pick("PLATFORM", "Gate")}, {Text: pick("9 3/4", "12")}}}
	}
	r.Metadata = index.Metadata{Camera: pick("NIKON Z6", "Nikon Z6 II", "Canon", ""), People: []string{pick("Ada Lovelace", "Bo", "Zo\u00eb")}}
	if rating := random.IntN(8) - 2; rating >= -1 {
		r.Metadata.Rating = &rating
	}
	if random.IntN(4) > 0 {
		r.Metadata.Taken = time.Date(2024, 5, 26+random.IntN(10), random.IntN(24), 0, 0, 0, time.UTC)
	}
	if random.IntN(2) == 0 {
		offset := time.Duration(random.IntN(27)-13) * time.Hour
		r.Metadata.TakenOffset = &offset
	}
	if random.IntN(3) > 0 {
		latitude, longitude := 35+float64(random.IntN(20))/100, 135.77
		r.Metadata.Latitude, r.Metadata.Longitude = &latitude, &longitude
	}
}
