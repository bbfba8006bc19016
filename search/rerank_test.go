package search

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/search/contract"
)

// topScore is the published score of the best hit.
func topScore(response contract.Response) float64 {
	if len(response.Hits) == 0 || response.Hits[0].Explanation.Match == nil {
		return math.Inf(-1)
	}
	return response.Hits[0].Explanation.Match.Score
}

func TestMoreRerankingNeverMakesTheTopWorse(t *testing.T) {
	if testing.Short() {
		t.Skip("asks many questions, one after the other")
	}
	for _, contrary := range []float64{0, 3} {
		w := populated(400)
		w.contrary = contrary
		testTopNeverWorse(t, w)
	}
}

func testTopNeverWorse(t *testing.T, w *world) {
	t.Helper()
	for _, text := range []string{"cat", "cat dog pizza", "boat house", "clock; chair", "zeppelin cat", "tree -bird", "chair; lamp -dog"} {
		best := math.Inf(-1)
		for _, count := range []int{1, 2, 4, 8, 16, 32, 64, 128, 400} {
			s := newTestSearcher(t, w, Options{})
			response := search(t, s, contract.Request{Text: text, RerankCount: count, RerankBudget: time.Minute, Explain: true})
			if strings.Contains(text, "-") {
				continue // the least likely clause decides, not the wanted one alone
			}
			got := topScore(response)
			if got < best {
				t.Errorf("%q: after reading %d the top has %v, before %v", text, count, got, best)
			}
			best = max(best, got)
		}
	}
}

// TestHitsFollowTheirProbability: whatever was read, and however the legs are
// fused, no hit stands behind a less probable one, and what ITM reads are the first
// candidates in fused order.
func TestHitsFollowTheirProbability(t *testing.T) {
	if testing.Short() {
		t.Skip("asks many questions, one after the other")
	}
	w := populated(300)
	w.contrary = 3
	w.add("/library/zeppelin/cat dog.jpg", "boat") // named so, and shows something else
	read := func(count int) contract.Request {
		return contract.Request{RerankCount: count, RerankBudget: time.Minute}
	}
	for name, base := range map[string]contract.Request{
		"none read": {RerankBudget: noRerank}, "one read": read(1), "7 read": read(7), "40 read": read(40), "all read": read(301),
		"rrf": {RerankBudget: noRerank, Fusion: contract.FusionReciprocalRank}, "rrf, 40 read": {RerankCount: 40, RerankBudget: time.Minute, Fusion: contract.FusionReciprocalRank},
		"words": {RerankBudget: noRerank, Weight: pointer(0.0)}, "meaning": {RerankBudget: noRerank, Weight: pointer(1.0)},
		"picture": {Record: 5}, "picture, none read": {Record: 5, RerankBudget: noRerank}, "texts": {Filter: index.Filter{Kinds: []index.Kind{index.KindText}}},
	} {
		for _, text := range []string{"cat dog", "cat; dog", "cat -dog", ""} {
			for _, show := range []contract.Show{contract.ShowAll, contract.ShowWeak} {
				request := base
				request.Text, request.Show, request.Limit, request.Explain = text, show, 1000, true
				if text == "" && request.Record == 0 {
					continue
				}
				s := newTestSearcher(t, w, Options{})
				response := search(t, s, request)
				for i, hit := range response.Hits {
					if i > 0 && (hit.Probability > response.Hits[i-1].Probability || hit.Score > response.Hits[i-1].Score) {
						t.Errorf("%s, %q, %s: hit %d has %v (%v) and stands behind %v (%v)", name, text, show, i+1, hit.Probability, hit.Score, response.Hits[i-1].Probability, response.Hits[i-1].Score)
					}
					if hit.Basis == contract.BasisMatch && hit.Explanation.FusedRank > response.RerankPlanned {
						t.Errorf("%s, %q: number %d was read, of %d", name, text, hit.Explanation.FusedRank, response.RerankPlanned)
					}
				}
				if again := search(t, newTestSearcher(t, w, Options{}), request); !slices.Equal(hitIDs(again), hitIDs(response)) {
					t.Errorf("%s, %q: another order the second time", name, text)
				}
			}
		}
	}
}

func TestBudgetMeansFewerRerankedAndNoError(t *testing.T) {
	w := populated(200)
	w.matchDelay = 2 * time.Millisecond
	previous := -1
	for _, budget := range []time.Duration{1, 20 * time.Millisecond, 10 * time.Second} {
		s := newTestSearcher(t, w, Options{})
		response := search(t, s, contract.Request{Text: "cat", RerankBudget: budget, RerankCount: 64})
		if response.RerankPlanned != 64 || response.Reranked < previous {
			t.Errorf("budget %v: %d of %d after %d", budget, response.Reranked, response.RerankPlanned, previous)
		}
		previous = response.Reranked
		if len(response.Hits) == 0 {
			t.Errorf("budget %v: no hits", budget)
		}
	}
	if previous != 64 {
		t.Errorf("with time enough only %d were read", previous)
	}
}

func TestCancelReturnsPromptly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated(200)
		w.matchDelay = 50 * time.Millisecond
		s := newTestSearcher(t, w, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		started := time.Now()
		seen := 0
		var failure error
		for response, err := range s.Stream(ctx, contract.Request{Text: "cat", RerankBudget: time.Minute}) {
			if err != nil {
				failure = err
				break
			}
			seen++
			if response.Stage != contract.StageFirst {
				t.Errorf("got stage %s after cancelling", response.Stage)
			}
			cancel()
		}
		if seen != 1 || !errors.Is(failure, context.Canceled) {
			t.Errorf("got %d answers and %v", seen, failure)
		}
		if took := time.Since(started); took > w.matchDelay {
			t.Errorf("took %v", took)
		}
		if w.open.Load() != 0 {
			t.Error("a snapshot is still open")
		}
		if _, err := s.Search(ctx, contract.Request{Text: "dog"}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCancelStopsMatchingItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated(100)
		w.matchDelay = time.Minute
		ctx, cancel := context.WithCancel(t.Context())
		w.onMatch = cancel
		started := time.Now()
		_, err := newTestSearcher(t, w, Options{}).Search(ctx, contract.Request{Text: "cat", RerankBudget: time.Minute})
		if took := time.Since(started); !errors.Is(err, context.Canceled) || took > 0 {
			t.Errorf("got %v after %v", err, took)
		}
		if w.open.Load() != 0 {
			t.Error("a snapshot is still open")
		}
	})
}

// TestRuledOutIsReadNoFurther bounds what clauses cost: where one already says
// no, the others are not asked.
func TestRuledOutIsReadNoFurther(t *testing.T) {
	w := populated(200)
	response := search(t, newTestSearcher(t, w, Options{}), contract.Request{Text: "zeppelin; cat; dog -pizza", RerankCount: 50, RerankBudget: time.Minute})
	if calls := w.matchCalls.Load(); response.Reranked != 50 || calls != 50 {
		t.Errorf("%d pictures without a zeppelin took %d pairs", response.Reranked, calls)
	}
}

func TestStreamAnswersTwice(t *testing.T) {
	w := populated(200)
	s := newTestSearcher(t, w, Options{})
	var stages []contract.Stage
	for response, err := range s.Stream(t.Context(), contract.Request{Text: "cat"}) {
		if err != nil {
			t.Fatal(err)
		}
		stages = append(stages, response.Stage)
	}
	if diff := cmp.Diff([]contract.Stage{contract.StageFirst, contract.StageReranked}, stages); diff != "" {
		t.Error(diff)
	}
	calls := w.matchCalls.Load()
	for range s.Stream(t.Context(), contract.Request{Text: "dog"}) {
		break // enough after the first
	}
	if w.matchCalls.Load() != calls {
		t.Error("ITM was asked although nobody waited")
	}
	stages = nil
	for response := range s.Stream(t.Context(), contract.Request{Text: "dog", RerankBudget: noRerank}) {
		stages = append(stages, response.Stage)
	}
	if diff := cmp.Diff([]contract.Stage{contract.StageFinal}, stages); diff != "" {
		t.Error(diff)
	}
}

// TestSlowMatchingTellsWhatStands: while ITM reads, hits come that stay, with the probability that they keep.
func TestSlowMatchingTellsWhatStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated(200)
		w.matchDelay, w.contrary = 25*time.Millisecond, 3
		request := contract.Request{Text: "cat", Limit: 200, Show: contract.ShowAll, RerankCount: 100, RerankBudget: time.Minute}
		told := map[index.ID]float64{}
		partial, last := 0, contract.Response{}
		for response, err := range newTestSearcher(t, w, Options{}).Stream(t.Context(), request) {
			if err != nil {
				t.Fatal(err)
			}
			last = response
			if response.Stage != contract.StageMatching {
				continue
			}
			partial++
			if len(response.Hits) != response.Reranked || response.Reranked <= len(told) {
				t.Errorf("%d hits of %d read, after %d", len(response.Hits), response.Reranked, len(told))
			}
			for _, hit := range response.Hits {
				if before, ok := told[hit.ID]; ok && before != hit.Probability {
					t.Errorf("record %d had %v and has %v", hit.ID, before, hit.Probability)
				}
				told[hit.ID] = hit.Probability
			}
		}
		if partial < 2 || last.Stage != contract.StageReranked {
			t.Errorf("%d answers came meanwhile, the last is %s", partial, last.Stage)
		}
		for _, hit := range last.Hits {
			if before, ok := told[hit.ID]; ok && before != hit.Probability {
				t.Errorf("record %d had %v and ends with %v", hit.ID, before, hit.Probability)
			}
			delete(told, hit.ID)
		}
		if len(told) > 0 {
			t.Errorf("hits have vanished: %v", told)
		}
	})
}

func TestUnreadableTokensCostOnlyTheirOwn(t *testing.T) {
	w := populated(100)
	s := newTestSearcher(t, w, Options{})
	top := search(t, s, contract.Request{Text: "cat"}).Hits[0].ID
	w.noTokens[top] = true
	s = newTestSearcher(t, w, Options{})
	response := search(t, s, contract.Request{Text: "cat"})
	if len(response.Hits) == 0 || len(response.Warnings) != 1 || slices.ContainsFunc(response.Hits, func(hit contract.Hit) bool { return hit.ID == top && hit.Basis == contract.BasisMatch }) {
		t.Errorf("got %v with %q", hitIDs(response), response.Warnings)
	}
}

func TestMatchesAreRemembered(t *testing.T) {
	w := populated(200)
	s := newTestSearcher(t, w, Options{})
	search(t, s, contract.Request{Text: "cat"})
	calls := w.matchCalls.Load()
	search(t, s, contract.Request{Text: "cat", Filter: index.Filter{Folders: []string{"set1"}}, RerankCount: 10})
	if more := w.matchCalls.Load() - calls; more > 10 {
		t.Errorf("ITM read %d pairs again", more)
	}
	search(t, s, contract.Request{Text: "cat", RerankCount: 50})
	if more := w.matchCalls.Load() - calls; more > 10 {
		t.Errorf("ITM read %d pairs again", more)
	}
}

// TestEditedPicturesAreReadAgain: what ITM read of a picture is forgotten when the
// picture's content changes.
func TestEditedPicturesAreReadAgain(t *testing.T) {
	w := populated(20)
	s := newTestSearcher(t, w, Options{})
	search(t, s, contract.Request{Text: "cat"})
	calls, read := w.matchCalls.Load(), w.matchCalls.Load()
	w.sequence++
	for _, record := range w.records {
		record.Hash = index.Hash{byte(record.ID)}
	}
	search(t, s, contract.Request{Text: "cat"})
	if again := w.matchCalls.Load() - calls; again != read {
		t.Errorf("ITM read %d pairs of %d again", again, read)
	}
}
