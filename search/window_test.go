package search

import (
	"slices"
	"testing"

	"mekiki/index"
	"mekiki/search/contract"
)

// windowOptions make a world of 700 pictures a large library.
func windowOptions() Options {
	return Options{Window: 60, FirstWindow: 12, LastWindow: 60, RerankCount: 6}
}

func TestPagesBeyondTheFirstWindowFitTogether(t *testing.T) {
	w := populated(700)
	for name, request := range map[string]contract.Request{
		"reranked": {Text: "cat", Show: contract.ShowAll},
		"fused":    {Text: "cat; dog", Show: contract.ShowAll, RerankBudget: noRerank},
		"ranks":    {Text: "cat", Show: contract.ShowAll, RerankBudget: noRerank, Fusion: contract.FusionReciprocalRank},
		"by date":  {Text: "cat", Sort: contract.SortDateDescending, Show: contract.ShowAll},
		"hits":     {Text: "cat"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, cached := range []bool{true, false} {
				options := windowOptions()
				if !cached {
					options.RankingCacheEntries = 1 // and another query drops it
				}
				s := newTestSearcher(t, w, options)
				request.Limit = 1000
				whole := search(t, s, request)
				if whole.Candidates < 60 || !whole.TotalIsLowerBound {
					t.Fatalf("%d candidates, lower bound %v", whole.Candidates, whole.TotalIsLowerBound)
				}
				s = newTestSearcher(t, w, options)
				paged := searchInPages(t, s, request, whole, cached, func(before int, response contract.Response) {
					if response.Offset != before || response.Total < before+len(response.Hits) || !response.TotalIsLowerBound {
						t.Fatalf("at %d: offset %d, %d hits of %d, lower bound %v", before, response.Offset, len(response.Hits), response.Total, response.TotalIsLowerBound)
					}
					for i, hit := range response.Hits {
						if previous := i - 1; previous >= 0 && request.Sort == "" && hit.Score > response.Hits[previous].Score {
							t.Errorf("score %v after %v", hit.Score, response.Hits[previous].Score)
						}
					}
				})
				slices.Sort(paged)
				if len(slices.Compact(paged)) != whole.Total {
					t.Errorf("%d hits of %d", len(paged), whole.Total)
				}
			}
		})
	}
}

func TestFirstWindowIsOfLargeLibraries(t *testing.T) {
	candidates := func(pictures int, request contract.Request) int {
		return search(t, newTestSearcher(t, populated(pictures), windowOptions()), request).Candidates
	}
	if got := candidates(700, contract.Request{Text: "cat", Limit: 5}); got > 24 {
		t.Errorf("a first answer of a large library looked at %d", got)
	}
	if got := candidates(500, contract.Request{Text: "cat", Limit: 5}); got < 60 {
		t.Errorf("a small library was looked at %d deep", got)
	}
	if got := candidates(700, contract.Request{Text: "cat", Limit: 5, RerankCount: 20}); got < 40 {
		t.Errorf("%d candidates for 20 to rerank", got)
	}
	// Without a hit at the end of the first window nobody looks further.
	if got := candidates(700, contract.Request{Text: "zeppelin over volcano", Limit: 50}); got > 24 {
		t.Errorf("%d candidates for no hits", got)
	}
}

func TestFilterIsTheRankingRestrictedInALargeLibrary(t *testing.T) {
	w := populated(700)
	s := newTestSearcher(t, w, windowOptions())
	base := contract.Request{Text: "cat and dog", Show: contract.ShowAll, Limit: 8, RerankBudget: noRerank}
	whole := search(t, s, contract.Request{Text: base.Text, Show: contract.ShowAll, Limit: 1000, RerankBudget: noRerank})
	scores := map[index.ID]float64{}
	for _, hit := range whole.Hits {
		scores[hit.ID] = hit.Probability
	}
	base.Filter = index.Filter{Folders: []string{"set1"}}
	for _, hit := range search(t, s, base).Hits {
		if probability, there := scores[hit.ID]; there && probability != hit.Probability {
			t.Errorf("record %v is judged %v under a filter and %v without", hit.ID, hit.Probability, probability)
		}
	}
}
