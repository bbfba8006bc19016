package server

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/server/servertest"
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
			servertest.Put(t, f.index, records...)
			want := f.listIDs(sort, 200, nil)
			seen := f.listIDs(sort, 7, func(page int, listed []string) {
				servertest.Put(t, f.index, numbered(100+page), numbered(200-page))
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
