package columns

import (
	"fmt"
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
	records := make([]*index.Record, 300)
	for i := range records {
		records[i] = &index.Record{ID: index.ID(i + 1)}
		if random.IntN(5) > 0 { // some have no date at all
			records[i].Metadata.Taken = indextest.Time.Add(time.Duration(random.IntN(40)-20) * time.Minute * 1_000_000)
		}
	}
	edit := catalog.EditTable(catalog.Table[*index.Record]{})
	for _, record := range records {
		edit.Set(record.ID, record)
	}
	orders := map[index.Order]func(a, b *index.Record) int{
		index.OrderAdded:          func(a, b *index.Record) int { return int(a.ID) - int(b.ID) },
		index.OrderNewest:         func(a, b *index.Record) int { return int(b.ID) - int(a.ID) },
		index.OrderDateDescending: func(a, b *index.Record) int { return b.Date().Compare(a.Date()) },
		index.OrderDateAscending:  func(a, b *index.Record) int { return a.Date().Compare(b.Date()) },
	}
	for order, compare := range orders {
		sorted := slices.Clone(records)
		slices.SortStableFunc(sorted, compare)
		for _, page := range []index.Page{{}, {Limit: 1}, {Limit: 7, Offset: 20}, {Limit: 100, Offset: 250}, {Limit: 300}, {Offset: 299}, {Offset: 301, Limit: 5}, {Limit: math.MaxInt, Offset: 290}} {
			page.Order = order
			t.Run(fmt.Sprintf("order %d, offset %d, limit %d", order, page.Offset, page.Limit), func(t *testing.T) {
				list, total, err := new(Table).Next(edit.Table, true).List(t.Context(), index.Filter{}, page)
				indextest.Must(t, err)
				want := sorted[min(page.Offset, len(sorted)):]
				if page.Limit > 0 {
					want = want[:min(page.Limit, len(want))]
				}
				if diff := cmp.Diff(idsOf(want), idsOf(list)); diff != "" {
					t.Error(diff)
				}
				if total != len(records) {
					t.Errorf("%d in all, expected %d", total, len(records))
				}
			})
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
