package search

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/cursor"
)

// searchInPages searches by pages of seven, which must be whole together, and gives
// the IDs. check is told how many hits came before a page. Not cached, another query
// goes before each page.
func searchInPages(t *testing.T, s *Searcher, request contract.Request, whole contract.Response, cached bool, check func(before int, response contract.Response)) []index.ID {
	t.Helper()
	request.Limit = 7
	var paged []index.ID
	for {
		if !cached {
			search(t, s, contract.Request{Text: "boat"})
		}
		response := search(t, s, request)
		check(len(paged), response)
		for i, hit := range response.Hits {
			if hit.Rank != len(paged)+i+1 {
				t.Fatalf("rank %d at place %d", hit.Rank, len(paged)+i+1)
			}
		}
		paged = append(paged, hitIDs(response)...)
		if response.Next == 0 {
			break
		}
		request.Cursor = response.Cursor
	}
	if diff := cmp.Diff(hitIDs(whole), paged); diff != "" {
		t.Error(diff)
	}
	return paged
}

func TestPagesFitTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("asks many questions, one after the other")
	}
	w := populated(300)
	w.contrary = 3
	for name, request := range map[string]contract.Request{
		"reranked": {Text: "cat", Show: contract.ShowAll, RerankCount: 40},
		"fused":    {Text: "cat; dog", Show: contract.ShowAll, RerankBudget: noRerank},
		"by date":  {Text: "cat", Sort: contract.SortDateDescending},
		"listing":  {Text: "folder:set1"},
		"unwanted": {Text: "folder:set1 -cat"},
		"similar":  {Record: 5, Show: contract.ShowAll},
	} {
		t.Run(name, func(t *testing.T) {
			for _, cached := range []bool{true, false} {
				options := Options{}
				if !cached {
					options.RankingCacheEntries = 1 // and another query drops it
				}
				s := newTestSearcher(t, w, options)
				request.Limit = 1000
				whole := search(t, s, request)
				paged := searchInPages(t, s, request, whole, cached, func(before int, response contract.Response) {
					if response.Total != whole.Total && !(response.TotalIsLowerBound && response.Total < whole.Total) {
						t.Fatalf("the page at %d says %d in all, not %d", before, response.Total, whole.Total)
					}
				})
				if len(paged) != whole.Total || len(paged) < 8 {
					t.Errorf("%d hits of %d", len(paged), whole.Total)
				}
			}
		})
	}
}

func TestOffsetsFitTogetherWhileTheLibraryChanges(t *testing.T) {
	w := populated(300)
	s := newTestSearcher(t, w, Options{})
	request := contract.Request{Text: "cat", Show: contract.ShowAll, Limit: 10}
	first := search(t, s, request)
	w.add("/library/new.jpg", "cat")
	w.sequence++
	request.Offset = first.Next
	second := search(t, s, request)
	for _, id := range hitIDs(second) {
		if slices.Contains(hitIDs(first), id) {
			t.Errorf("record %v stands on both pages", id)
		}
	}
	request.Offset = 0
	if fresh := search(t, s, request); slices.Equal(hitIDs(fresh), hitIDs(first)) {
		t.Error("a new first page does not show the new picture")
	}
}

// TestListsFitTogetherWhileTheLibraryChanges: what comes before a place in a list moves no page behind it, and a cursor of before
// places were in them goes on by its offset.
func TestListsFitTogetherWhileTheLibraryChanges(t *testing.T) {
	w := populated(300)
	s := newTestSearcher(t, w, Options{})
	request := contract.Request{Text: "folder:set1", Limit: 1000}
	whole := hitIDs(search(t, s, request))
	request.Limit = 7
	first := search(t, s, request)
	for i := range 3 {
		w.add(fmt.Sprintf("/library/set1/new%d.jpg", i), "cat").Metadata.Taken = first.Hits[0].Record.Date().AddDate(0, 0, 1)
	}
	w.sequence++
	request.Cursor = first.Cursor
	second := search(t, s, request)
	if diff := cmp.Diff(whole[7:14], hitIDs(second)); diff != "" || second.Hits[0].Rank != 8 || second.Next != 14 {
		t.Errorf("from rank %d on, to be continued at %d:\n%s", second.Hits[0].Rank, second.Next, diff)
	}
	old, err := cursor.Parse(first.Cursor, keyIn(t, first.Cursor))
	if err != nil {
		t.Fatal(err)
	}
	old.Last = nil
	request.Cursor = old.String()
	if diff := cmp.Diff(whole[4:11], hitIDs(search(t, s, request))); diff != "" {
		t.Errorf("by an offset: %s", diff)
	}
	old.Last = &cursor.Place{Nanoseconds: 1e9}
	request.Cursor = old.String()
	if _, err := s.Search(t.Context(), request); err == nil {
		t.Error("a place that is none is taken")
	}
}

// keyIn is the key of a cursor.
func keyIn(t *testing.T, text string) string {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	var c cursor.Cursor
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c.Key
}

func TestSortByDateKeepsRelevanceAsFilter(t *testing.T) {
	s := newTestSearcher(t, populated(300), Options{})
	base := contract.Request{Text: "cat", Limit: 1000}
	relevant := search(t, s, base)
	base.Sort = contract.SortDateAscending
	dated := search(t, s, base)
	if !slices.IsSortedFunc(dated.Hits, func(a, b contract.Hit) int { return a.Record.Date().Compare(b.Record.Date()) }) {
		t.Error("hits are not by date")
	}
	a, b := hitIDs(relevant), hitIDs(dated)
	slices.Sort(a)
	slices.Sort(b)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
	if len(dated.Hits) == 300 {
		t.Error("relevance filtered nothing")
	}
}
