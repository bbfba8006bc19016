package columns

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
)

// TestSlotsMatch holds what a page's columns say of a filter against what each
// record says.
func TestSlotsMatch(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 1))
	edit := catalog.EditTable(catalog.Table[*index.Record]{})
	for id := index.ID(1); id < 3*catalog.PageSize; id++ {
		if random.IntN(7) > 0 {
			record := randomRecord(random, id)
			if day := int64(id / catalog.PageSize); day > 0 { // as records are mostly that follow each other
				offset := 2 * time.Hour
				record.Metadata.Taken, record.Metadata.TakenOffset = indextest.Time.Add(time.Duration(80*day+int64(id%60))*time.Hour), []*time.Duration{nil, nil, &offset}[day]
			}
			edit.Set(id, record)
		}
	}
	passed := 0
	for range 400 {
		filter := randomFilter(random)
		want, got, m := []index.ID{}, []index.ID{}, filters.Compile(filter)
		for id, record := range edit.Table.All() {
			if filters.Compile(filter).Matches(record) {
				want = append(want, id)
			}
		}
		table := new(Table).Next(edit.Table, true)
		indextest.Must(t, table.scan(t.Context(), m, func(p *Page, slots []uint8) {
			for _, slot := range slots {
				got = append(got, p.first+index.ID(slot))
			}
		}))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("filter %+v:\n%s", filter, diff)
		}
		if m != nil {
			set, err := table.selected(t.Context(), m)
			indextest.Must(t, err)
			for id := range index.ID(len(table.pages) * catalog.PageSize) {
				if set.Has(uint64(id)) != slices.Contains(want, id) {
					t.Fatalf("filter %+v: record %d is in the selection, or missing", filter, id)
				}
			}
		}
		if passed += len(want); len(want) == edit.Table.Count && !filter.IsZero() && len(filter.Kinds) < 2 {
			t.Errorf("filter %+v lets everything pass", filter)
		}
	}
	if passed == 0 {
		t.Error("no filter lets anything pass")
	}
}

// TestColumnsFollow: a changed page has columns of its own.
func TestColumnsFollow(t *testing.T) {
	edit := catalog.EditTable(catalog.Table[*index.Record]{})
	edit.Set(1, &index.Record{ID: 1, Kind: index.KindImage, Format: "png"})
	edit.Set(catalog.PageSize, &index.Record{ID: catalog.PageSize, Kind: index.KindImage, Format: "png"})
	before := new(Table).Next(edit.Table, true)
	indextest.Must(t, before.MakeAll(t.Context()))
	edit = catalog.EditTable(edit.Table)
	edit.Set(1, &index.Record{ID: 1, Kind: index.KindImage, Format: "gif"})
	after := before.Next(edit.Table, true)
	m := filters.Compile(index.Filter{Formats: []string{"gif"}})
	if slots := newAsking(m).matching(after.pages[0]); !slices.Equal(slots, []uint8{1}) {
		t.Errorf("the changed page has %v", slots)
	}
	if slots := newAsking(m).matching(before.pages[0]); len(slots) > 0 {
		t.Errorf("the page before has %v", slots)
	}
	if after.pages[0] == before.pages[0] || after.pages[1] != before.pages[1] {
		t.Error("columns are not made anew for the changed page alone")
	}
}

var (
	testFolders = []string{"/a", "/a/Summer 2024", "/a/summer 2024/b", "/b", "/photos", "/photos/a"}
	testCameras = []string{"", "Canon EOS R5", "NIKON Z 6", "nikon d70"}
	testTags    = []string{"dog", "Dog", "cat", "sea"}
	testFormats = []string{"jpeg", "png", "webp", "heic"}
)

func pick[T any](random *rand.Rand, values []T) T { return values[random.IntN(len(values))] }

func randomRecord(random *rand.Rand, id index.ID) *index.Record {
	r := &index.Record{ID: id, Kind: pick(random, []index.Kind{index.KindImage, index.KindImage, index.KindText}), Format: pick(random, testFormats)}
	for number := range random.IntN(4) {
		path := filepath.FromSlash(fmt.Sprintf("%s/IMG_%d_%d.jpg", pick(random, testFolders), id, number))
		r.Files = append(r.Files, index.File{Path: path})
	}
	r.Metadata.Camera, r.Metadata.Lens = pick(random, testCameras), pick(random, []string{"", "50mm", "Z lens"})
	if random.IntN(3) > 0 {
		r.Metadata.Taken = indextest.Time.Add(time.Duration(random.IntN(20)) * 12 * time.Hour).Add(time.Duration(random.IntN(3)))
	}
	if random.IntN(2) == 0 {
		offset := time.Duration(random.IntN(27)-13) * time.Hour
		r.Metadata.TakenOffset = &offset
	}
	if random.IntN(2) == 0 {
		rating := random.IntN(7) - 1
		r.Metadata.Rating = &rating
	}
	if random.IntN(3) == 0 {
		r.Metadata.People = []string{pick(random, []string{"Ada Lovelace", "Bo", "Zoë Adams"})}
	}
	for range random.IntN(3) {
		r.Tags = append(r.Tags, pick(random, testTags))
	}
	if random.IntN(3) == 0 {
		r.Metadata.Keywords = []string{pick(random, testTags)}
	}
	if random.IntN(3) == 0 {
		latitude, longitude := float64(random.IntN(20)), float64(random.IntN(20))
		r.Metadata.Latitude, r.Metadata.Longitude = &latitude, &longitude
	}
	return r
}

// randomFilter sets one to three of the fields.
func randomFilter(random *rand.Rand) index.Filter {
	var f index.Filter
	for range 1 + random.IntN(3) {
		switch random.IntN(12) {
		case 0:
			f.Kinds = append(f.Kinds, pick(random, []index.Kind{index.KindImage, index.KindText}))
		case 1:
			f.Folders = append(f.Folders, pick(random, append(testFolders, "b", "SUMMER 2024", "nowhere")))
		case 2:
			f.After = indextest.Time.Add(time.Duration(random.IntN(240)) * time.Hour).Add(time.Duration(random.IntN(3)))
		case 3:
			f.Before = indextest.Time.Add(time.Duration(random.IntN(240)) * time.Hour).Add(time.Duration(random.IntN(3)))
		case 4:
			f.Cameras = append(f.Cameras, pick(random, []string{"canon", "Nikon", "z", "50MM", "leica"}))
		case 5:
			f.Tags = append(f.Tags, pick(random, append(testTags, "moon")))
		case 6:
			f.Formats = append(f.Formats, pick(random, []string{"jpg", "png", ".WEBP", "heif", "bmp"}))
		case 8:
			f.People = append(f.People, pick(random, []string{"ada", "bo", "zoe", "love"}))
		case 9:
			least := random.IntN(7) - 1
			f.Ratings = append(f.Ratings, index.RatingRange{Least: least, Most: 5, Unrated: random.IntN(4) == 0})
		case 10:
			known := random.IntN(2) == 0
			f.Taken = &known
		case 11:
			f.After = indextest.Time.Add(time.Duration(random.IntN(240)) * time.Hour).In(time.FixedZone("", random.IntN(20)*3600-36000))
			f.AfterZoned = true
		case 7:
			f.Near = &index.Near{Latitude: 10, Longitude: 10, Kilometres: float64(100 + random.IntN(1000))}
		}
	}
	return f
}

// BenchmarkColumns makes the columns of a page, and asks them.
func BenchmarkColumns(b *testing.B) {
	edit, space := catalog.EditTable(catalog.Table[*index.Record]{}), embed.Space{Parts: 1, Width: 4}
	for id := index.ID(0); id < catalog.PageSize; id++ {
		record := indextest.ScalePut(uint64(id), space).Record
		edit.Set(id, &record)
	}
	p := new(Table).Next(edit.Table, true).pages[0]
	b.Run("make", func(b *testing.B) {
		for b.Loop() {
			newColumns(p.records)
		}
	})
	for name, filter := range map[string]index.Filter{
		"folder": {Folders: []string{"/photos/007"}}, "camera": {Cameras: []string{"canon"}}, "month": {After: indextest.Time, Before: indextest.Time.AddDate(0, 1, 0)},
	} {
		b.Run(name, func(b *testing.B) {
			a := newAsking(filters.Compile(filter))
			for b.Loop() {
				a.matching(p)
			}
		})
	}
}
