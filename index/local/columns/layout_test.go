package columns

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
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
