package search

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"mekiki/embed/pixels"
	"mekiki/index"
)

func TestMain(m *testing.M) {
	// bleve starts its analysis workers when it is imported, and keeps them.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"))
}

func pointer[T any](value T) *T { return &value }

const noRerank = -1 * time.Nanosecond

func TestSearchFindsWhatWasAskedFor(t *testing.T) {
	w := populated(300)
	s := newTestSearcher(t, w, Options{})
	response := search(t, s, Request{Text: "a cat beside a pizza", Limit: 50, Explain: true})
	if response.Verdict != VerdictStrong || response.Stage != StageReranked || len(response.Hits) == 0 {
		t.Fatalf("got %s %s with %d hits", response.Verdict, response.Stage, len(response.Hits))
	}
	for i, hit := range response.Hits {
		things := w.things[hit.ID]
		if hit.Verdict == VerdictStrong && !(slices.Contains(things, "cat") && slices.Contains(things, "pizza")) {
			t.Errorf("hit %d shows %v and is called strong", i+1, things)
		}
		if hit.Rank != i+1 || hit.Path == "" || hit.Caption == "" || hit.Reason == "" || hit.Record == nil {
			t.Errorf("hit %d is not filled in: %+v", i+1, hit)
		}
		if hit.Basis == BasisMatch && (hit.Explanation == nil || hit.Explanation.Match == nil || len(hit.Explanation.Match.Clauses) != 1) {
			t.Errorf("hit %d is not explained: %+v", i+1, hit.Explanation)
		}
	}
	if w.open.Load() != 0 {
		t.Errorf("%d snapshots are still open", w.open.Load())
	}
}

func TestSearchSaysThatNothingMatches(t *testing.T) {
	s := newTestSearcher(t, populated(300), Options{})
	response := search(t, s, Request{Text: "zeppelin over volcano"})
	if response.Verdict != VerdictNone || len(response.Hits) != 0 || response.Total != 0 || response.Hidden == 0 {
		t.Errorf("got %s with %d hits of %d, %d hidden", response.Verdict, len(response.Hits), response.Total, response.Hidden)
	}
	all := search(t, s, Request{Text: "zeppelin over volcano", Show: ShowAll})
	if len(all.Hits) == 0 || all.Verdict != VerdictNone || all.Hits[0].Verdict != VerdictNone {
		t.Errorf("asked for all: got %s with %d hits", all.Verdict, len(all.Hits))
	}
}

func TestEmptyLibrary(t *testing.T) {
	s := newTestSearcher(t, newWorld(), Options{})
	response := search(t, s, Request{Text: "cat"})
	if response.Verdict != VerdictNone || response.Hits == nil || len(response.Hits) != 0 {
		t.Errorf("got %+v", response)
	}
}

func TestEmptyKeywordLegLeavesVectorOrder(t *testing.T) {
	w := populated(200)
	for _, record := range w.records { // nothing to match words with
		record.Captions, record.Files = nil, []index.File{{Path: "/x"}}
	}
	neighbours := (&worldSnapshot{w}).nearest(textDirection("cat pizza"), 200, index.Filter{}, index.KindImage)
	var want []index.ID
	for _, neighbour := range neighbours {
		want = append(want, neighbour.ID)
	}
	s := newTestSearcher(t, w, Options{})
	for _, fusion := range []Fusion{FusionConvex, FusionReciprocalRank} {
		hybrid := search(t, s, Request{Text: "cat pizza", Show: ShowAll, Limit: 200, RerankBudget: noRerank, Fusion: fusion})
		if diff := cmp.Diff(want, hitIDs(hybrid)); diff != "" {
			t.Errorf("%s: %s", fusion, diff)
		}
	}
}

func TestWeightReproducesLegs(t *testing.T) {
	w := populated(200)
	w.add("/library/cat/pizza.jpg", "boat") // named so, and shows something else
	s := newTestSearcher(t, w, Options{Calibration: captionsCountLess()})
	snapshot, _ := w.Snapshot()
	defer snapshot.Close()
	neighbours, _ := snapshot.NearestImages(t.Context(), textDirection("cat pizza"), 300, index.Filter{})
	var vector, keyword []index.ID
	for _, neighbour := range neighbours {
		vector = append(vector, neighbour.ID)
	}
	hits, _ := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: "cat pizza"}, 300, index.Filter{})
	for _, hit := range hits {
		keyword = append(keyword, hit.ID)
	}
	for _, fusion := range []Fusion{FusionConvex, FusionReciprocalRank} {
		base := Request{Text: "cat pizza", Show: ShowAll, Limit: 300, RerankBudget: noRerank, Fusion: fusion}
		base.Weight = pointer(1.0)
		if diff := cmp.Diff(vector, hitIDs(search(t, s, base))); diff != "" {
			t.Errorf("%s, weight 1: %s", fusion, diff)
		}
		base.Weight = pointer(0.0)
		if diff := cmp.Diff(keyword, hitIDs(search(t, s, base))); diff != "" {
			t.Errorf("%s, weight 0: %s", fusion, diff)
		}
	}
}

// captionsCountLess is the default calibration with a limit on what captions
// count in fusion.
func captionsCountLess() *Calibration {
	calibration := DefaultCalibration()
	calibration.CaptionWords = 1
	return &calibration
}

// TestFusedScoresAreTheFormulas compares the fused scores of a search with the
// formulas of docs/ranking.md.
func TestFusedScoresAreTheFormulas(t *testing.T) {
	w := populated(300)
	w.add("/library/cat/dog.jpg", "boat", "pizza")
	s := newTestSearcher(t, w, Options{Calibration: captionsCountLess()})
	for _, weight := range []float64{0.05, 0.3, 0.8, 0.95} {
		request := Request{Text: "cat dog pizza", Show: ShowAll, Limit: 1000, RerankBudget: noRerank, Weight: &weight, Explain: true}
		hits := search(t, s, request).Hits
		places := func(leg func(Explanation) *Leg) map[index.ID]int {
			var scored []Hit
			for _, hit := range hits {
				if leg(*hit.Explanation) != nil {
					scored = append(scored, hit)
				}
			}
			slices.SortFunc(scored, func(a, b Hit) int {
				return cmpOr(leg(*b.Explanation).Score-leg(*a.Explanation).Score, float64(a.ID)-float64(b.ID))
			})
			places := map[index.ID]int{}
			for i, hit := range scored {
				places[hit.ID] = i + 1
			}
			return places
		}
		vectors := places(func(e Explanation) *Leg { return e.Vector })
		words := places(func(e Explanation) *Leg { return e.Keyword })
		ranks := map[index.ID]float64{}
		for _, hit := range hits {
			want := weight * (hit.Explanation.Vector.Score + 1) / 2
			ranks[hit.ID] = weight / float64(60+vectors[hit.ID])
			if leg := hit.Explanation.Keyword; leg != nil {
				const words3, scale = 3, 2
				named := hit.Explanation.NameCoverage
				captions := 1.0 / words3
				want += (1 - weight) * leg.Score / (leg.Score + scale*words3) * (captions + (1-captions)*named*named*named)
				ranks[hit.ID] += (1 - weight) / float64(60+words[hit.ID])
			}
			if math.Abs(want-hit.Explanation.Fused) > 1e-5 {
				t.Errorf("weight %v, record %v: fused %v, want %v: %+v", weight, hit.ID, hit.Explanation.Fused, want, hit.Explanation)
			}
		}
		request.Fusion = FusionReciprocalRank
		for _, hit := range search(t, s, request).Hits {
			if math.Abs(ranks[hit.ID]-hit.Explanation.Fused) > 1e-5 {
				t.Errorf("weight %v, record %v: ranks give %v, want %v", weight, hit.ID, hit.Explanation.Fused, ranks[hit.ID])
			}
		}
	}
}

// cmpOr is the sign of the first number that is not zero.
func cmpOr(numbers ...float64) int {
	for _, number := range numbers {
		if number != 0 {
			return int(math.Copysign(1, number))
		}
	}
	return 0
}

func TestFusedScoreRisesWithEachLeg(t *testing.T) {
	s := newTestSearcher(t, newWorld(), Options{})
	r := &retrieval{searcher: s, plan: &plan{text: "x", textWords: 1, weight: 0.6}}
	previous := -1.0
	for cosine := -1.0; cosine <= 1; cosine += 0.1 {
		c := &candidate{vector: cosine, hasVector: true, keyword: 3, hasKeyword: true}
		r.candidates = []*candidate{c}
		r.fuseScores()
		if c.fused <= previous {
			t.Fatalf("cosine %v gives %v after %v", cosine, c.fused, previous)
		}
		previous = c.fused
	}
	previous = -1
	for score := 0.0; score <= 50; score++ {
		c := &candidate{vector: 0.2, hasVector: true, keyword: score, hasKeyword: true}
		r.candidates = []*candidate{c}
		r.fuseScores()
		if c.fused <= previous {
			t.Fatalf("BM25 %v gives %v after %v", score, c.fused, previous)
		}
		previous = c.fused
	}
}

func TestPagesFitTogether(t *testing.T) {
	w := populated(300)
	w.contrary = 3
	for name, request := range map[string]Request{
		"reranked": {Text: "cat", Show: ShowAll, RerankCount: 40},
		"fused":    {Text: "cat; dog", Show: ShowAll, RerankBudget: noRerank},
		"by date":  {Text: "cat", Sort: SortDateDescending},
		"listing":  {Text: "folder:set1"},
		"unwanted": {Text: "folder:set1 -cat"},
		"similar":  {Record: 5, Show: ShowAll},
	} {
		t.Run(name, func(t *testing.T) {
			for _, cached := range []bool{true, false} {
				options := Options{}
				if !cached {
					options.RankingCacheEntries = 1 // and another query drops it
				}
				s := newTestSearcher(t, w, options)
				request.Limit = 1000
				request.Cursor = ""
				whole := search(t, s, request)
				request.Limit = 7
				request.Cursor = ""
				var paged []index.ID
				for page := 0; ; page++ {
					if !cached {
						search(t, s, Request{Text: "boat"})
					}
					response := search(t, s, request)
					if response.Total != whole.Total {
						t.Fatalf("page %d says %d in all, not %d", page, response.Total, whole.Total)
					}
					for i, hit := range response.Hits {
						if hit.Rank != len(paged)+i+1 {
							t.Fatalf("page %d: rank %d at place %d", page, hit.Rank, len(paged)+i+1)
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
	request := Request{Text: "cat", Show: ShowAll, Limit: 10}
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

func TestFilterIsTheRankingRestricted(t *testing.T) {
	w := populated(400)
	w.contrary = 3
	for name, budget := range map[string]time.Duration{"fused": noRerank, "reranked": time.Minute} {
		t.Run(name, func(t *testing.T) {
			s := newTestSearcher(t, w, Options{RerankCount: 1000, Calibration: captionsCountLess()})
			for _, text := range []string{"cat", "cat and dog on a table", "cat; pizza", "cat -dog"} {
				base := Request{Text: text, Show: ShowAll, Limit: 1000, RerankBudget: budget}
				whole := search(t, s, base)
				for _, filter := range []index.Filter{
					{Folders: []string{"set1"}}, {Folders: []string{"set1", "set2"}}, {IDs: []index.ID{3, 77, 300}},
					{After: time.Unix(86400*200, 0)}, {IDs: []index.ID{9}},
				} {
					base.Filter = filter
					got := search(t, s, base)
					var want []index.ID
					snapshot := &worldSnapshot{w}
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
	got := search(t, s, Request{Text: "tag:red", Filter: index.Filter{Tags: []string{"red", "blue"}, IDs: []index.ID{7, 9}}})
	if diff := cmp.Diff([]index.ID{7}, hitIDs(got)); diff != "" {
		t.Error(diff)
	}
	none := search(t, s, Request{Text: "tag:red", Filter: index.Filter{Tags: []string{"blue"}}})
	if len(none.Hits) != 0 {
		t.Errorf("got %v", hitIDs(none))
	}
}

// topScore is the published score of the best hit.
func topScore(response Response) float64 {
	if len(response.Hits) == 0 || response.Hits[0].Explanation.Match == nil {
		return math.Inf(-1)
	}
	return response.Hits[0].Explanation.Match.Score
}

func TestMoreRerankingNeverMakesTheTopWorse(t *testing.T) {
	for _, contrary := range []float64{0, 3} {
		w := populated(400)
		w.contrary = contrary
		testTopNeverWorse(t, w)
	}
}

func testTopNeverWorse(t *testing.T, w *world) {
	t.Helper()
	for _, text := range []string{"cat", "cat dog pizza", "boat house", "clock; chair", "zeppelin cat", "tree -bird", "chair; lamp -dog"} {
		best, bestScore := math.Inf(-1), math.Inf(-1)
		for _, count := range []int{1, 2, 4, 8, 16, 32, 64, 128, 400} {
			s := newTestSearcher(t, w, Options{})
			response := search(t, s, Request{Text: text, RerankCount: count, RerankBudget: time.Minute, Explain: true})
			if len(response.Hits) > 0 {
				if score := response.Hits[0].Score; score < bestScore {
					t.Errorf("%q: after reading %d the top has score %v, before %v", text, count, score, bestScore)
				} else {
					bestScore = score
				}
			}
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

func TestBudgetMeansFewerRerankedAndNoError(t *testing.T) {
	w := populated(200)
	w.matchDelay = 2 * time.Millisecond
	previous := -1
	for _, budget := range []time.Duration{1, 20 * time.Millisecond, 10 * time.Second} {
		s := newTestSearcher(t, w, Options{})
		response := search(t, s, Request{Text: "cat", RerankBudget: budget, RerankCount: 64})
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

func TestSameQuerySameAnswer(t *testing.T) {
	w := populated(300)
	for range 20 { // pictures with nothing between them but their number
		twin := w.add("/library/twins/x.jpg", "cat", "dog")
		w.parts[twin.ID] = w.parts[301]
	}
	one, two := newTestSearcher(t, w, Options{}), newTestSearcher(t, w, Options{})
	for _, request := range []Request{
		{Text: "cat pizza"}, {Text: "cat; dog -bird"}, {Record: 3}, {Record: 3, Text: "at a table"}, {Text: `"cat"`},
		{Text: "cat", Fusion: FusionReciprocalRank, RerankBudget: noRerank},
	} {
		request.Explain, request.Show = true, ShowAll
		var answers []string
		for _, s := range []*Searcher{one, two, one, two} {
			response := search(t, s, request)
			response.Timings = Timings{}
			data, err := json.Marshal(response)
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, string(data))
		}
		for _, answer := range answers[1:] {
			if diff := cmp.Diff(answers[0], answer); diff != "" {
				t.Errorf("%q: %s", request.Text, diff)
			}
		}
	}
}

func TestCancelReturnsPromptly(t *testing.T) {
	w := populated(200)
	w.matchDelay = 50 * time.Millisecond
	s := newTestSearcher(t, w, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := time.Now()
	seen := 0
	var failure error
	for response, err := range s.Stream(ctx, Request{Text: "cat", RerankBudget: time.Minute}) {
		if err != nil {
			failure = err
			break
		}
		seen++
		if response.Stage != StageFirst {
			t.Errorf("got stage %s after cancelling", response.Stage)
		}
		cancel()
	}
	if seen != 1 || !errors.Is(failure, context.Canceled) {
		t.Errorf("got %d answers and %v", seen, failure)
	}
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	if w.open.Load() != 0 {
		t.Error("a snapshot is still open")
	}
	if _, err := s.Search(ctx, Request{Text: "dog"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestStreamAnswersTwice(t *testing.T) {
	w := populated(200)
	s := newTestSearcher(t, w, Options{})
	var stages []Stage
	for response, err := range s.Stream(t.Context(), Request{Text: "cat"}) {
		if err != nil {
			t.Fatal(err)
		}
		stages = append(stages, response.Stage)
	}
	if diff := cmp.Diff([]Stage{StageFirst, StageReranked}, stages); diff != "" {
		t.Error(diff)
	}
	calls := w.matchCalls.Load()
	for range s.Stream(t.Context(), Request{Text: "dog"}) {
		break // enough after the first
	}
	if w.matchCalls.Load() != calls {
		t.Error("ITM was asked although nobody waited")
	}
	stages = nil
	for response := range s.Stream(t.Context(), Request{Text: "dog", RerankBudget: noRerank}) {
		stages = append(stages, response.Stage)
	}
	if diff := cmp.Diff([]Stage{StageFinal}, stages); diff != "" {
		t.Error(diff)
	}
}

func TestUnwantedIsCheckedByMatching(t *testing.T) {
	w := populated(300)
	s := newTestSearcher(t, w, Options{})
	response := search(t, s, Request{Text: "cat -dog", Limit: 100, Explain: true})
	if len(response.Hits) == 0 {
		t.Fatal("no hits")
	}
	for _, hit := range response.Hits {
		if hit.Basis == BasisMatch && slices.Contains(w.things[hit.ID], "dog") {
			t.Errorf("record %v shows %v: %+v", hit.ID, w.things[hit.ID], hit.Explanation.Match)
		}
	}
	clauses := response.Hits[0].Explanation.Match.Clauses
	if len(clauses) != 2 || clauses[0].Unwanted || !clauses[1].Unwanted || clauses[1].Probability < 0.5 {
		t.Errorf("got %+v", clauses)
	}
}

func TestEveryClauseHasToHold(t *testing.T) {
	w := populated(300)
	s := newTestSearcher(t, w, Options{})
	response := search(t, s, Request{Text: "a cat; a pizza", Limit: 100, Explain: true})
	if len(response.Hits) == 0 || response.Verdict != VerdictStrong {
		t.Fatalf("got %s with %d hits", response.Verdict, len(response.Hits))
	}
	for _, hit := range response.Hits {
		if things := w.things[hit.ID]; hit.Basis == BasisMatch && !(slices.Contains(things, "cat") && slices.Contains(things, "pizza")) {
			t.Errorf("record %v shows %v", hit.ID, things)
		}
	}
}

func TestPhrasesAreRequired(t *testing.T) {
	w := populated(300)
	s := newTestSearcher(t, w, Options{})
	response := search(t, s, Request{Text: `"cat and dog"`, Show: ShowAll, Limit: 100})
	if len(response.Hits) == 0 {
		t.Fatal("no hits")
	}
	for _, hit := range response.Hits {
		if !strings.Contains(hit.Caption, "cat and dog") {
			t.Errorf("caption %q", hit.Caption)
		}
	}
	without := search(t, s, Request{Text: `cat -"cat and dog"`, Show: ShowAll, Limit: 1000})
	for _, hit := range without.Hits {
		if strings.Contains(hit.Caption, "cat and dog") {
			t.Errorf("caption %q", hit.Caption)
		}
	}
	if none := search(t, s, Request{Text: `"cat and unicorn"`}); len(none.Hits) != 0 || none.Verdict != VerdictNone {
		t.Errorf("got %v", hitIDs(none))
	}
}

func TestNamesAreAnswers(t *testing.T) {
	w := populated(200)
	named := w.add("/library/trip/IMG_2041.jpg", "boat")
	camera := w.add("/library/other/x.jpg", "boat")
	camera.Metadata.Camera = "Nikon Z6"
	s := newTestSearcher(t, w, Options{})
	for text, want := range map[string]index.ID{"IMG_2041": named.ID, "nikon z6": camera.ID, "img_2041.jpg": named.ID} {
		response := search(t, s, Request{Text: text})
		if len(response.Hits) == 0 || response.Hits[0].ID != want {
			t.Errorf("%q: got %v, want %v first", text, hitIDs(response), want)
			continue
		}
		if hit := response.Hits[0]; hit.Verdict != VerdictStrong || hit.Basis != BasisWords || !strings.HasPrefix(hit.Reason, "named so") {
			t.Errorf("%q: %s, %s, %s", text, hit.Verdict, hit.Basis, hit.Reason)
		}
	}
}

func TestVerdictsKnowHowManyPicturesThereAre(t *testing.T) {
	calibration := DefaultCalibration()
	calibration.Images = 100
	odds := func(pictures int, request Request) map[index.ID]float64 {
		request.Show, request.Limit, request.RerankCount, request.RerankBudget = ShowAll, 1000, 1000, time.Minute
		found := map[index.ID]float64{}
		for _, hit := range search(t, newTestSearcher(t, populated(pictures), Options{Calibration: &calibration}), request).Hits {
			found[hit.ID] = logOdds(hit.Probability)
		}
		return found
	}
	for text, want := range map[string]float64{"cat": math.Log(4) / 2, "zeppelin; cat": math.Log(4) / 2, "scene0042": 0} {
		for _, pictures := range []int{50, 100} {
			few, many := odds(pictures, Request{Text: text}), odds(400, Request{Text: text})
			narrowed := odds(400, Request{Text: text, Filter: index.Filter{IDs: []index.ID{1, 2, 3, 43}}})
			for _, id := range []index.ID{1, 2, 3, 43} {
				if text == "scene0042" && id != 43 {
					continue
				}
				// Odds are compared where rounded probabilities still tell them apart.
				if got := few[id] - many[id]; math.Abs(few[id]) < 8 && math.Abs(got-want) > 0.01 {
					t.Errorf("%q, record %v: log-odds %v of %d pictures, %v of 400", text, id, few[id], pictures, many[id])
				}
				if narrowed[id] != many[id] {
					t.Errorf("%q, record %v: log-odds %v under a filter, %v without", text, id, narrowed[id], many[id])
				}
			}
		}
	}
	// What is unwanted did not choose the candidates.
	for id, got := range odds(400, Request{Text: "folder:set1 -cat"}) {
		if want := odds(100, Request{Text: "folder:set1 -cat"})[id]; id <= 100 && got != want {
			t.Errorf("record %v: %v without a cat, %v in a small library", id, got, want)
		}
	}
}

func TestSortByDateKeepsRelevanceAsFilter(t *testing.T) {
	s := newTestSearcher(t, populated(300), Options{})
	base := Request{Text: "cat", Limit: 1000}
	relevant := search(t, s, base)
	base.Sort = SortDateAscending
	dated := search(t, s, base)
	if !slices.IsSortedFunc(dated.Hits, func(a, b Hit) int { return a.Record.Date().Compare(b.Record.Date()) }) {
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

func TestSimilar(t *testing.T) {
	w := populated(200)
	source := w.add("/library/a.jpg", "cat", "pizza")
	twin := w.add("/library/b.jpg", "cat", "pizza")
	s := newTestSearcher(t, w, Options{})
	response, err := s.Similar(t.Context(), Request{Record: source.ID})
	if err != nil {
		t.Fatal(err)
	}
	if len(response.Hits) == 0 || slices.Contains(hitIDs(response), source.ID) {
		t.Fatalf("got %v", hitIDs(response))
	}
	if things := w.things[response.Hits[0].ID]; len(things) != 2 || !slices.Contains(things, "cat") || !slices.Contains(things, "pizza") {
		t.Errorf("first shows %v", things)
	}
	if hit := response.Hits[0]; hit.Basis != BasisSimilarity || hit.Probability < 0.7 {
		t.Errorf("got %s %v", hit.Basis, hit.Probability)
	}
	image, _ := pixels.New(4, 4)
	image.Pix[0] = byte(twin.ID)
	byImage, err := s.Similar(t.Context(), Request{Image: image, Text: "dog"})
	if err != nil {
		t.Fatal(err)
	}
	for _, hit := range byImage.Hits {
		if hit.Verdict == VerdictStrong && !slices.Contains(w.things[hit.ID], "dog") {
			t.Errorf("with words: %v is strong", w.things[hit.ID])
		}
	}
	_, err = s.Similar(t.Context(), Request{Text: "cat"})
	wantCode(t, err, CodeEmptyRequest)
}

func TestTextsCanBeSearched(t *testing.T) {
	w := populated(20)
	text := w.addText("a zeppelin above the town")
	s := newTestSearcher(t, w, Options{})
	response := search(t, s, Request{Text: "zeppelin kind:text"})
	if len(response.Hits) != 1 || response.Hits[0].ID != text.ID || response.Hits[0].Kind != "text" || response.Hits[0].Text == "" {
		t.Errorf("got %+v", response.Hits)
	}
}

func TestWordsAloneWithoutModel(t *testing.T) {
	w := populated(100)
	s, err := New(w, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	response := search(t, s, Request{Text: "scene0042"})
	if len(response.Hits) != 1 || response.Hits[0].ID != 43 || len(response.Warnings) != 1 {
		t.Errorf("got %v with %q", hitIDs(response), response.Warnings)
	}
}

func TestUnreadableTokensCostOnlyTheirOwn(t *testing.T) {
	w := populated(100)
	s := newTestSearcher(t, w, Options{})
	top := search(t, s, Request{Text: "cat"}).Hits[0].ID
	w.noTokens[top] = true
	s = newTestSearcher(t, w, Options{})
	response := search(t, s, Request{Text: "cat"})
	if len(response.Hits) == 0 || len(response.Warnings) != 1 || response.Hits[0].ID == top {
		t.Errorf("got %v with %q", hitIDs(response), response.Warnings)
	}
}

func TestLongTextWarns(t *testing.T) {
	s := newTestSearcher(t, populated(50), Options{})
	response := search(t, s, Request{Text: strings.Repeat("cat ", 40)})
	if len(response.Warnings) != 1 || !strings.Contains(response.Warnings[0], "last 10 word pieces") {
		t.Errorf("got %q", response.Warnings)
	}
}

func TestMatchesAreRemembered(t *testing.T) {
	w := populated(200)
	s := newTestSearcher(t, w, Options{})
	search(t, s, Request{Text: "cat"})
	calls := w.matchCalls.Load()
	search(t, s, Request{Text: "cat", Filter: index.Filter{Folders: []string{"set1"}}, RerankCount: 10})
	if more := w.matchCalls.Load() - calls; more > 10 {
		t.Errorf("ITM read %d pairs again", more)
	}
	search(t, s, Request{Text: "cat", RerankCount: 50})
	if more := w.matchCalls.Load() - calls; more > 10 {
		t.Errorf("ITM read %d pairs again", more)
	}
}

func TestBadRequests(t *testing.T) {
	s := newTestSearcher(t, populated(20), Options{})
	image, _ := pixels.New(2, 2)
	nan := math.NaN()
	tests := []struct {
		name    string
		request Request
		code    Code
	}{
		{"empty", Request{}, CodeEmptyRequest},
		{"spaces", Request{Text: " \t "}, CodeEmptyRequest},
		{"only unwanted", Request{Text: "-cat"}, CodeNothingWanted},
		{"10,000 words", Request{Text: strings.Repeat("word ", 10000)}, CodeTooLarge},
		{"open quote", Request{Text: `a "cat`}, CodeUnbalancedQuote},
		{"control character", Request{Text: "a\x00b"}, CodeControlCharacter},
		{"no UTF-8", Request{Text: "a\xffb"}, CodeControlCharacter},
		{"unknown filter", Request{Text: "colour:red"}, CodeUnknownFilter},
		{"impossible date", Request{Text: "after:2023-02-31"}, CodeInvalidDate},
		{"no dates left", Request{Text: "cat", Filter: index.Filter{After: time.Unix(9, 0), Before: time.Unix(9, 0)}}, CodeInvalidDate},
		{"nowhere", Request{Text: "cat", Filter: index.Filter{Near: &index.Near{Latitude: nan, Kilometres: 1}}}, CodeInvalidOption},
		{"both kinds", Request{Text: "cat kind:image kind:text"}, CodeInvalidOption},
		{"negative limit", Request{Text: "cat", Limit: -1}, CodeInvalidOption},
		{"huge limit", Request{Text: "cat", Limit: 1 << 30}, CodeInvalidOption},
		{"negative offset", Request{Text: "cat", Offset: -1}, CodeInvalidOption},
		{"weight", Request{Text: "cat", Weight: &nan}, CodeInvalidOption},
		{"probability", Request{Text: "cat", MinimumProbability: nan}, CodeInvalidOption},
		{"fusion", Request{Text: "cat", Fusion: "x"}, CodeInvalidOption},
		{"sort", Request{Text: "cat", Sort: "x"}, CodeInvalidOption},
		{"show", Request{Text: "cat", Show: "x"}, CodeInvalidOption},
		{"rerank count", Request{Text: "cat", RerankCount: -1}, CodeInvalidOption},
		{"budget", Request{Text: "cat", RerankBudget: time.Hour}, CodeInvalidOption},
		{"image and record", Request{Image: image, Record: 1}, CodeInvalidOption},
		{"broken image", Request{Image: &pixels.Image{Width: 3, Height: 3}}, CodeImageUndecodable},
		{"no such record", Request{Record: 999}, CodeRecordNotFound},
		{"crop of nothing", Request{Text: "cat", Crop: &Rectangle{Width: 1, Height: 1}}, CodeInvalidCrop},
		{"crop outside", Request{Record: 1, Crop: &Rectangle{X: 0.5, Width: 0.6, Height: 1}}, CodeInvalidCrop},
		{"empty crop", Request{Record: 1, Crop: &Rectangle{}}, CodeInvalidCrop},
		{"NaN crop", Request{Record: 1, Crop: &Rectangle{X: nan, Width: 1, Height: 1}}, CodeInvalidCrop},
		{"crop without original", Request{Record: 1, Crop: &Rectangle{Width: 1, Height: 1}}, CodeUnavailable},
		{"cursor", Request{Text: "cat", Cursor: "!"}, CodeInvalidCursor},
		{"cursor of another query", Request{Text: "cat", Cursor: cursor{Key: "x"}.String()}, CodeInvalidCursor},
		{"endless cursor", Request{Text: "cat", Cursor: strings.Repeat("A", 5000)}, CodeInvalidCursor},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := s.Search(t.Context(), test.request)
			wantCode(t, err, test.code)
		})
	}
}

func TestErrorPointsAtTheCharacter(t *testing.T) {
	s := newTestSearcher(t, newWorld(), Options{})
	_, err := s.Search(t.Context(), Request{Text: "猫 colour:red"})
	var got *Error
	if !errors.As(err, &got) || got.Position == nil || *got.Position != (Position{Offset: 2, Length: 7}) {
		t.Fatalf("got %+v", err)
	}
	data, _ := json.Marshal(got)
	want := `{"code":"unknown_filter","message":"there is no filter colour:",`
	if !strings.HasPrefix(string(data), want) {
		t.Errorf("got %s", data)
	}
}

func TestAnotherModelIsRefused(t *testing.T) {
	w := populated(10)
	other := newWorld()
	other.space.Fingerprint = "other"
	s, err := New(w, worldEngine{other}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Search(t.Context(), Request{Text: "cat"})
	wantCode(t, err, CodeSpaceMismatch)
}

func TestResponseJSON(t *testing.T) {
	w := newWorld()
	w.add("/library/a/one.jpg", "cat")
	s := newTestSearcher(t, w, Options{})
	response := search(t, s, Request{Text: "cat"})
	response.Timings = Timings{}
	data, err := json.MarshalIndent(response, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"query", "hits", "total", "verdict", "stage", "timings"} {
		if _, ok := got[name]; !ok {
			t.Errorf("no field %q in %s", name, data)
		}
	}
	hit := got["hits"].([]any)[0].(map[string]any)
	for _, name := range []string{"id", "path", "caption", "probability", "verdict", "score", "rank", "kind", "basis", "reason"} {
		if _, ok := hit[name]; !ok {
			t.Errorf("no field %q in %s", name, data)
		}
	}
	if hit["id"] != "1" {
		t.Errorf("id is %v, want a string", hit["id"])
	}
}
