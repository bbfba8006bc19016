package server

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/server/problem"
)

// TestListingWhileItChanges: records that come and go between two pages cost no
// other record its place, in any order.
func TestListingWhileItChanges(t *testing.T) {
	for _, sort := range []string{"date_descending", "date_ascending", "added_descending", "added_ascending"} {
		t.Run(sort, func(t *testing.T) {
			f := start(t)
			day := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
			numbered := func(n int) index.Record {
				// Three share each date, and dates and identities run against each other.
				return index.Record{Kind: index.KindImage, Hash: index.Hash{200, byte(n)}, Metadata: index.Metadata{Taken: day.AddDate(0, 0, -(n*7%40)/3)}}
			}
			var records []index.Record
			for n := range 40 {
				records = append(records, numbered(n))
			}
			putAll(t, f.index, records...)
			want := f.listIDs(sort, 200, nil)
			seen := f.listIDs(sort, 7, func(page int, listed []string) {
				putAll(t, f.index, numbered(100+page), numbered(200-page))
				f.expect(f.send(f.request("DELETE", "/api/v1/records/"+listed[len(listed)-1], nil)), 204, "")
			})
			counts := map[string]int{}
			for _, id := range seen {
				counts[id]++
			}
			for _, id := range want {
				if counts[id] != 1 {
					t.Errorf("record %s is listed %d times", id, counts[id])
				}
			}
			known := slices.DeleteFunc(slices.Clone(seen), func(id string) bool { return !slices.Contains(want, id) })
			if !slices.Equal(known, want) {
				t.Errorf("order %v, want %v", known, want)
			}
		})
	}
}

// listIDs lists every record by pages; between, where it is given, happens after
// each page but the last.
func (f *fixture) listIDs(sort string, limit int, between func(page int, listed []string)) []string {
	f.Helper()
	var ids []string
	next := ""
	for page := 0; page == 0 || next != ""; page++ {
		got := f.expect(f.get("/api/v1/records?sort="+sort+"&limit="+strconv.Itoa(limit)+"&cursor="+next), 200, "")
		for _, record := range got.at(f, "records").([]any) {
			ids = append(ids, record.(map[string]any)["id"].(string))
		}
		if next, _ = got.at(f, "next").(string); next != "" && between != nil {
			between(page, ids)
		}
		if page > 50 {
			f.Fatal("the pages do not end")
		}
	}
	return ids
}

func TestCursor(t *testing.T) {
	for _, date := range []time.Time{{}, time.Unix(0, 0), time.Date(1500, 1, 2, 3, 4, 5, 6, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 999_999_999, time.UTC)} {
		want := position{order: index.OrderDateAscending, date: date, id: 1 << 63}
		got, found, err := readCursor(want.cursor(), index.OrderDateAscending)
		if err != nil || !found || !got.date.Equal(date) || got.id != want.id {
			t.Errorf("%v became %v, %v", want, got, err)
		}
		if _, _, err := readCursor(want.cursor(), index.OrderAdded); codeOf(err) != problem.InvalidRequest {
			t.Errorf("another order: %v", err)
		}
	}
}

// TestListings: a list is made once for each state of the library, and only so
// many are kept.
func TestListings(t *testing.T) {
	f := start(t)
	list := func(order index.Order) []*index.Record {
		snapshot, err := f.library.Reader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer closeReader(snapshot)
		records, err := f.server.listings.list(t.Context(), snapshot, index.Filter{Kinds: []index.Kind{index.KindImage}}, order)
		if err != nil {
			t.Fatal(err)
		}
		return records
	}
	first := list(index.OrderAdded)
	if again := list(index.OrderAdded); &again[0] != &first[0] {
		t.Error("the same list is made twice")
	}
	f.put(index.Record{Kind: index.KindImage, Hash: index.Hash{77}})
	if after := list(index.OrderAdded); len(after) != len(first)+1 {
		t.Errorf("%d records after one more than %d", len(after), len(first))
	}
	for _, order := range []index.Order{index.OrderNewest, index.OrderDateAscending, index.OrderDateDescending} {
		list(order)
	}
	if kept := len(f.server.listings.kept); kept != keptListings {
		t.Errorf("%d lists are kept", kept)
	}
}
