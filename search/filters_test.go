package search

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/search/contract"
)

func TestFilterIsTheRankingRestricted(t *testing.T) {
	w := populated(400)
	w.contrary = 3
	for name, budget := range map[string]time.Duration{"fused": noRerank, "reranked": time.Minute} {
		t.Run(name, func(t *testing.T) {
			s := newTestSearcher(t, w, Options{RerankCount: 1000, Calibration: nil})
			for _, text := range []string{"cat", "cat and dog on a table", "cat; pizza", "cat -dog"} {
				base := contract.Request{Text: text, Show: contract.ShowAll, Limit: 1000, RerankBudget: budget}
				whole := search(t, s, base)
				for _, filter := range []index.Filter{
					{Folders: []string{"set1"}}, {Folders: []string{"set1", "set2"}}, {IDs: []index.ID{3, 77, 300}},
					{After: time.Unix(86400*200, 0)}, {IDs: []index.ID{9}},
				} {
					base.Filter = filter
					got := search(t, s, base)
					var want []index.ID
					snapshot := &worldSnapshot{world: w}
					for _, hit := range whole.Hits {
						if snapshot.passes(hit.Record, filter) {
							want = append(want, hit.ID)
						}
					}
					if diff := cmp.Diff(want, hitIDs(got)); diff != "" {
						t.Errorf("%q under %+v: %s", text, filter, diff)
					}
				}
			}
		})
	}
}

func TestFiltersOfTextAndRequestBothHold(t *testing.T) {
	w := populated(100)
	w.records[7].Tags = []string{"red"}
	w.records[8].Tags = []string{"red"}
	s := newTestSearcher(t, w, Options{})
	// Two conditions on one list cannot be one filter: tag red or blue, and red.
	got := search(t, s, contract.Request{Text: "tag:red", Filter: index.Filter{Tags: []string{"red", "blue"}, IDs: []index.ID{7, 9}}})
	if diff := cmp.Diff([]index.ID{7}, hitIDs(got)); diff != "" {
		t.Error(diff)
	}
	none := search(t, s, contract.Request{Text: "tag:red", Filter: index.Filter{Tags: []string{"blue"}}})
	if len(none.Hits) != 0 {
		t.Errorf("got %v", hitIDs(none))
	}
}
