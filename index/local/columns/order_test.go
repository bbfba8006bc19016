package columns

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
)

// TestListing lists pages of every order, from the beginning and behind places.
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
	everything := index.Filter{Ratings: []index.RatingRange{{Unrated: true}}}
	few, many := records[240:270], records[200:900]
	strangers := append(idsOf(many), 0, 5000, math.MaxUint64, many[0].ID)
	some, all := new(Table).Next(edit.Table, true), new(Table).Next(edit.Table, false) // some may be withheld, or none
	for order := range index.OrderDateAscending + 1 {
		testPages(t, some, index.Filter{}, records, order)
		testPages(t, all, index.Filter{}, records, order)
		testPages(t, all, everything, records, order)
		testPages(t, all, index.Filter{IDs: idsOf(few)}, few, order)
		testPages(t, all, index.Filter{IDs: strangers}, many, order)
		testPages(t, some, index.Filter{IDs: strangers, Ratings: everything.Ratings}, many, order)
	}
}

// testPages lists pages of the records that pass a filter, from the beginning and behind places.
func testPages(t *testing.T, table *Table, filter index.Filter, records []*index.Record, order index.Order) {
	places := []*index.Place{
		nil, {}, {ID: math.MaxUint64}, {Date: indextest.Time.AddDate(-2000, 0, 0), ID: 5}, {Date: indextest.Time.AddDate(2000, 0, 0), ID: 5},
		{Date: indextest.Time, ID: 300}, {Date: indextest.Time.Add(time.Nanosecond), ID: 600},
	}
	for _, share := range []int{0, 23, 40, 100} {
		at := index.PlaceOf(records[share*(len(records)-1)/100])
		places = append(places, &at, &index.Place{Date: at.Date, ID: at.ID + 10_000}, &index.Place{Date: at.Date})
	}
	compare := map[index.Order]func(a, b *index.Record) int{
		index.OrderAdded:          func(a, b *index.Record) int { return cmp.Compare(a.ID, b.ID) },
		index.OrderNewest:         func(a, b *index.Record) int { return cmp.Compare(b.ID, a.ID) },
		index.OrderDateDescending: func(a, b *index.Record) int { return b.Date().Compare(a.Date()) },
		index.OrderDateAscending:  func(a, b *index.Record) int { return a.Date().Compare(b.Date()) },
	}[order]
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, compare)
	for _, place := range places {
		behind := sorted
		if place != nil {
			behind = slices.DeleteFunc(slices.Clone(sorted), func(r *index.Record) bool {
				at := &index.Record{ID: place.ID, Added: place.Date}
				by := compare(r, at)
				return by < 0 || by == 0 && r.ID <= place.ID
			})
		}
		for _, page := range []index.Page{
			{}, {Limit: 1}, {Limit: 7, Offset: 20}, {Limit: 100, Offset: 250}, {Limit: 300}, {Limit: 300, Offset: 900}, {Offset: 1099}, {Offset: 1101, Limit: 5},
			{Limit: math.MaxInt, Offset: 290},
		} {
			page.Order, page.Behind = order, place
			list, total, err := table.List(t.Context(), filter, page)
			indextest.Must(t, err)
			want := behind[min(page.Offset, len(behind)):]
			if page.Limit > 0 {
				want = want[:min(page.Limit, len(want))]
			}
			if !slices.Equal(want, list) {
				t.Fatalf("order %d, behind %+v, offset %d, limit %d: expected, and got\n%v\n%v", order, place, page.Offset, page.Limit, idsOf(want), idsOf(list))
			}
			if total != len(records) {
				t.Errorf("%d in all, expected %d", total, len(records))
			}
		}
	}
}

// TestManyNamed: where a filter names many records, hidden ones and those in the trash are listed as where it names few.
func TestManyNamed(t *testing.T) {
	edit := catalog.EditTable(catalog.Table[*index.Record]{})
	var records []*index.Record
	for i := range 3 * fewNamed {
		record := &index.Record{ID: index.ID(i + 1), Given: &index.Given{Hidden: i%3 == 0}}
		if i%5 == 0 {
			record.Given.Trashed = indextest.Time
		}
		edit.Set(record.ID, record)
		records = append(records, record)
	}
	table := new(Table).Next(edit.Table, true)
	for _, choices := range [][2]index.Choice{
		{}, {index.ChoiceOnly}, {0, index.ChoiceOnly}, {index.ChoiceOnly, index.ChoiceOnly}, {index.ChoiceInclude}, {0, index.ChoiceInclude},
	} {
		for _, count := range []int{fewNamed, fewNamed + 1, len(records)} {
			filter := index.Filter{IDs: idsOf(records[:count]), Hidden: choices[0], Trash: choices[1]}
			m := filters.Compile(filter)
			want := slices.DeleteFunc(slices.Clone(records), func(r *index.Record) bool { return !m.Matches(r) })
			if got, total, err := table.List(t.Context(), filter, index.Page{}); err != nil || total != len(want) || !slices.Equal(got, want) {
				t.Errorf("%v of %d named: %d of %d, %v; expected %d", choices, count, len(got), total, err, len(want))
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
