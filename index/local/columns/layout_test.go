package columns

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
)

// TestLayout: images alone, their ratios after rounding, and days on both sides of 1970.
func TestLayout(t *testing.T) {
	edit := catalog.EditTable(catalog.Table[*index.Record]{})
	for _, r := range []index.Record{
		{ID: 1, Kind: index.KindImage, Width: 6000, Height: 900, Metadata: index.Metadata{Taken: time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)}},
		{ID: 2, Kind: index.KindText},
		{ID: 3, Kind: index.KindImage, Width: 1, Height: 60_000, Metadata: index.Metadata{Taken: time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC)}},
		{ID: 4, Kind: index.KindImage, Width: 3000, Height: 2000},
		{ID: 5, Kind: index.KindImage, Added: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)},
	} {
		edit.Set(r.ID, &r)
	}
	got, err := new(Table).Next(edit.Table, true).Layout(t.Context(), index.Filter{}, index.OrderDateDescending)
	indextest.Must(t, err)
	want := index.Layout{IDs: []index.ID{5, 1, 3, 4}, Ratios: []uint32{1000, 6667, 1, 1500}, Days: []int32{19782, 1, -1, index.NoDay}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestLayoutIsInTheOrderOfTheList: of dates that are equal, apart by nanoseconds or by centuries, or missing.
func TestLayoutIsInTheOrderOfTheList(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 2))
	edit := catalog.EditTable(catalog.Table[*index.Record]{})
	for id := index.ID(1); id <= 1500; id++ {
		record := &index.Record{ID: id, Kind: index.KindImage}
		if random.IntN(9) > 0 {
			record.Metadata.Taken = time.Date(pick(random, []int{1, 1969, 1970, 2024, 2025, 9999}), time.Month(1+random.IntN(12)), 1, 0, 0, 0, random.IntN(3)*400_000_000, time.UTC)
		}
		edit.Set(id, record)
	}
	table := new(Table).Next(edit.Table, true)
	for _, order := range []index.Order{index.OrderAdded, index.OrderNewest, index.OrderDateAscending, index.OrderDateDescending} {
		for _, filter := range []index.Filter{{}, {After: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)}, {After: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}} {
			layout, err := table.Layout(t.Context(), filter, order)
			indextest.Must(t, err)
			records, _, err := table.List(t.Context(), filter, index.Page{Order: order})
			indextest.Must(t, err)
			if diff := cmp.Diff(idsOf(records), append([]index.ID{}, layout.IDs...)); diff != "" {
				t.Errorf("order %d, filter %+v:\n%s", order, filter, diff)
			}
			for i, record := range records {
				if day := dayOf(filters.MomentOf(record.Date())); layout.Days[i] != day {
					t.Fatalf("record %d has day %d, want %d", record.ID, layout.Days[i], day)
				}
			}
		}
	}
}

// BenchmarkLayout lays out 100,000 images by date.
func BenchmarkLayout(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	edit := catalog.EditTable(catalog.Table[*index.Record]{})
	for id := index.ID(1); id <= 100_000; id++ {
		edit.Set(id, &index.Record{
			ID: id, Kind: index.KindImage, Width: 3000 + random.IntN(1000), Height: 2000 + random.IntN(1000),
			Metadata: index.Metadata{Taken: indextest.Time.Add(time.Duration(random.IntN(300_000)) * time.Minute)},
		})
	}
	table := new(Table).Next(edit.Table, true)
	indextest.Must(b, table.MakeAll(b.Context()))
	for b.Loop() {
		layout, err := table.Layout(b.Context(), index.Filter{}, index.OrderDateDescending)
		if err != nil || len(layout.IDs) != 100_000 {
			b.Fatalf("%d images: %v", len(layout.IDs), err)
		}
	}
}
