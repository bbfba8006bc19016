package index

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestListing(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 9))
	records := make([]*Record, 300)
	for i := range records {
		records[i] = &Record{ID: ID(i + 1)}
		if random.IntN(5) > 0 { // some have no date at all
			records[i].Metadata.Taken = testTime.Add(time.Duration(random.IntN(40)-20) * time.Minute * 1_000_000)
		}
	}
	edit := editTable(table[*Record]{})
	for _, record := range records {
		edit.set(record.ID, record)
	}
	orders := map[Order]func(a, b *Record) int{
		OrderAdded:          func(a, b *Record) int { return int(a.ID) - int(b.ID) },
		OrderNewest:         func(a, b *Record) int { return int(b.ID) - int(a.ID) },
		OrderDateDescending: func(a, b *Record) int { return b.Date().Compare(a.Date()) },
		OrderDateAscending:  func(a, b *Record) int { return a.Date().Compare(b.Date()) },
	}
	for order, compare := range orders {
		sorted := slices.Clone(records)
		slices.SortStableFunc(sorted, compare)
		for _, page := range []Page{{}, {Limit: 1}, {Limit: 7, Offset: 20}, {Limit: 100, Offset: 250}, {Limit: 300}, {Offset: 299}, {Offset: 301, Limit: 5}, {Limit: math.MaxInt, Offset: 290}} {
			page.Order = order
			t.Run(fmt.Sprintf("order %d, offset %d, limit %d", order, page.Offset, page.Limit), func(t *testing.T) {
				list := newListing(page)
				for number, p := range edit.table.pages {
					list.add(ID(number*pageSize), p, (*matcher)(nil).slots(p, nil))
				}
				want := sorted[min(page.Offset, len(sorted)):]
				if page.Limit > 0 {
					want = want[:min(page.Limit, len(want))]
				}
				if diff := cmp.Diff(idsOf(want), idsOf(list.records())); diff != "" {
					t.Error(diff)
				}
				if list.total != len(records) {
					t.Errorf("%d in all, expected %d", list.total, len(records))
				}
			})
		}
	}
}

func idsOf(records []*Record) []ID {
	ids := make([]ID, len(records))
	for i, record := range records {
		ids[i] = record.ID
	}
	return ids
}
