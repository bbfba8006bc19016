package columns

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
)

func TestListing(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 9))
	minutes := func(count int) index.Metadata {
		return index.Metadata{Taken: indextest.Time.Add(time.Duration(count) * time.Minute)}
	}
	for name, metadata := range map[string]func(number int) index.Metadata{
		"some without a date": func(int) (m index.Metadata) {
			if random.IntN(5) > 0 {
				m = minutes((random.IntN(40) - 20) * 1_000_000)
			}
			return m
		},
		"in order":       func(number int) index.Metadata { return minutes(number / 3) },
		"against order":  func(number int) index.Metadata { return minutes(-number / 3) },
		"of few days":    func(number int) index.Metadata { return minutes(number / 200 % 3) },
		"of many trips":  func(number int) index.Metadata { return minutes(number*7919/300%11*1000 + number%7) },
		"all of one day": func(int) index.Metadata { return minutes(0) },
	} {
		t.Run(name, func(t *testing.T) { testListing(t, metadata) })
	}
}

func testListing(t *testing.T, metadata func(number int) index.Metadata) {
	records := make([]*index.Record, 1100)
	edit := catalog.EditTable(catalog.Table[*index.Record]{})
	for i := range records {
		records[i] = &index.Record{ID: index.ID(i + 1), Metadata: metadata(i)}
		edit.Set(records[i].ID, records[i])
	}
	table := new(Table).Next(edit.Table, true)
	orders := map[index.Order]func(a, b *index.Record) int{
		index.OrderAdded:          func(a, b *index.Record) int { return int(a.ID) - int(b.ID) },
		index.OrderNewest:         func(a, b *index.Record) int { return int(b.ID) - int(a.ID) },
		index.OrderDateDescending: func(a, b *index.Record) int { return b.Date().Compare(a.Date()) },
		index.OrderDateAscending:  func(a, b *index.Record) int { return a.Date().Compare(b.Date()) },
	}
	for order, compare := range orders {
		sorted := slices.Clone(records)
		slices.SortStableFunc(sorted, compare)
		for _, page := range []index.Page{
			{}, {Limit: 1}, {Limit: 7, Offset: 20}, {Limit: 100, Offset: 250}, {Limit: 300}, {Limit: 300, Offset: 900}, {Offset: 1099}, {Offset: 1101, Limit: 5},
			{Limit: math.MaxInt, Offset: 290},
		} {
			page.Order = order
			list, total, err := table.List(t.Context(), index.Filter{}, page)
			indextest.Must(t, err)
			want := sorted[min(page.Offset, len(sorted)):]
			if page.Limit > 0 {
				want = want[:min(page.Limit, len(want))]
			}
			if diff := cmp.Diff(idsOf(want), idsOf(list)); diff != "" {
				t.Errorf("order %d, offset %d, limit %d:\n%s", order, page.Offset, page.Limit, diff)
			}
			if total != len(records) {
				t.Errorf("%d in all, expected %d", total, len(records))
			}
		}
	}
}

func idsOf(records []*index.Record) []index.ID {
	ids := make([]index.ID, len(records))
	for i, record := range records {
		ids[i] = record.ID
	}
	return ids
}
