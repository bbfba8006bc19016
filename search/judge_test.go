package search

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/scoring"
)

func TestSearchSaysThatNothingMatches(t *testing.T) {
	s := newTestSearcher(t, populated(300), Options{})
	response := search(t, s, contract.Request{Text: "zeppelin over volcano"})
	if response.Verdict != scoring.VerdictNone || len(response.Hits) != 0 || response.Total != 0 || response.Hidden == 0 {
		t.Errorf("got %s with %d hits of %d, %d hidden", response.Verdict, len(response.Hits), response.Total, response.Hidden)
	}
	all := search(t, s, contract.Request{Text: "zeppelin over volcano", Show: contract.ShowAll})
	if len(all.Hits) == 0 || all.Verdict != scoring.VerdictNone || all.Hits[0].Verdict != scoring.VerdictNone {
		t.Errorf("asked for all: got %s with %d hits", all.Verdict, len(all.Hits))
	}
}

func TestUnwantedIsCheckedByMatching(t *testing.T) {
	w := populated(300)
	s := newTestSearcher(t, w, Options{})
	response := search(t, s, contract.Request{Text: "cat -dog", Limit: 100, Explain: true})
	if len(response.Hits) == 0 {
		t.Fatal("no hits")
	}
	for _, hit := range response.Hits {
		if hit.Basis == contract.BasisMatch && slices.Contains(w.things[hit.ID], "dog") {
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
	response := search(t, s, contract.Request{Text: "a cat; a pizza", Limit: 100, Explain: true})
	if len(response.Hits) == 0 || response.Verdict != scoring.VerdictStrong {
		t.Fatalf("got %s with %d hits", response.Verdict, len(response.Hits))
	}
	for _, hit := range response.Hits {
		if things := w.things[hit.ID]; hit.Basis == contract.BasisMatch && !(slices.Contains(things, "cat") && slices.Contains(things, "pizza")) {
			t.Errorf("record %v shows %v", hit.ID, things)
		}
	}
}

func TestPhrasesAreRequired(t *testing.T) {
	w := populated(300)
	s := newTestSearcher(t, w, Options{})
	response := search(t, s, contract.Request{Text: `"cat and dog"`, Show: contract.ShowAll, Limit: 100})
	if len(response.Hits) == 0 {
		t.Fatal("no hits")
	}
	for _, hit := range response.Hits {
		if !strings.Contains(hit.Caption, "cat and dog") {
			t.Errorf("caption %q", hit.Caption)
		}
	}
	without := search(t, s, contract.Request{Text: `cat -"cat and dog"`, Show: contract.ShowAll, Limit: 1000})
	for _, hit := range without.Hits {
		if strings.Contains(hit.Caption, "cat and dog") {
			t.Errorf("caption %q", hit.Caption)
		}
	}
	if none := search(t, s, contract.Request{Text: `"cat and unicorn"`}); len(none.Hits) != 0 || none.Verdict != scoring.VerdictNone {
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
		response := search(t, s, contract.Request{Text: text})
		if len(response.Hits) == 0 || response.Hits[0].ID != want {
			t.Errorf("%q: got %v, want %v first", text, hitIDs(response), want)
			continue
		}
		if hit := response.Hits[0]; hit.Verdict != scoring.VerdictStrong || hit.Basis != contract.BasisWords || !strings.HasPrefix(hit.Reason, "named so") {
			t.Errorf("%q: %s, %s, %s", text, hit.Verdict, hit.Basis, hit.Reason)
		}
	}
}

func TestVerdictsKnowHowManyPicturesThereAre(t *testing.T) {
	if testing.Short() {
		t.Skip("asks many questions, one after the other")
	}
	calibration := scoring.DefaultCalibration()
	calibration.Images, calibration.Library = 100, -0.5
	odds := func(pictures int, request contract.Request) map[index.ID]float64 {
		request.Show, request.Limit, request.RerankCount, request.RerankBudget = contract.ShowAll, 1000, 1000, time.Minute
		found := map[index.ID]float64{}
		for _, hit := range search(t, newTestSearcher(t, populated(pictures), Options{Calibration: &calibration}), request).Hits {
			found[hit.ID] = scoring.LogOdds(hit.Probability)
		}
		return found
	}
	for text, want := range map[string]float64{"cat": math.Log(4) / 2, "zeppelin; cat": math.Log(4) / 2, "scene0042": 0} {
		for _, pictures := range []int{50, 100} {
			few, many := odds(pictures, contract.Request{Text: text}), odds(400, contract.Request{Text: text})
			narrowed := odds(400, contract.Request{Text: text, Filter: index.Filter{IDs: []index.ID{1, 2, 3, 43}}})
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
	for id, got := range odds(400, contract.Request{Text: "folder:set1 -cat"}) {
		if want := odds(100, contract.Request{Text: "folder:set1 -cat"})[id]; id <= 100 && got != want {
			t.Errorf("record %v: %v without a cat, %v in a small library", id, got, want)
		}
	}
}

// TestEachClauseProposes asks for two things that no picture has together: what
// stands for either is looked at all the same.
func TestEachClauseProposes(t *testing.T) {
	w := populated(0)
	for i := range 90 {
		w.add("/library/x.jpg", []string{"cat", "boat", "tree clock"}[i%3])
	}
	s := newTestSearcher(t, w, Options{Window: 20, FirstWindow: 20})
	response := search(t, s, contract.Request{Text: "cat; boat; tree clock tree clock", Show: contract.ShowAll, Limit: 1000, RerankBudget: noRerank, Weight: pointer(1.0)})
	proposed := map[string]int{}
	for _, hit := range response.Hits {
		proposed[w.things[hit.ID][0]]++
	}
	for _, thing := range []string{"cat", "boat", "tree clock"} {
		if proposed[thing] < 20/3 {
			t.Errorf("a clause of its own proposed %d pictures of %q: %v", proposed[thing], thing, proposed)
		}
	}
}

// TestRefusalsReachTheTail has estimates that promise everything, and a matcher that
// refuses all it reads: what it has not read is no answer either.
func TestRefusalsReachTheTail(t *testing.T) {
	calibration := scoring.DefaultCalibration()
	calibration.ExpectedITM = scoring.Features{scoring.FeatureBias: 5}
	s := newTestSearcher(t, populated(300), Options{Calibration: &calibration})
	estimated := search(t, s, contract.Request{Text: "zeppelin", RerankBudget: noRerank})
	if estimated.Verdict != scoring.VerdictStrong || estimated.Total != 300 {
		t.Fatalf("estimated: %s, %d hits", estimated.Verdict, estimated.Total)
	}
	read := search(t, s, contract.Request{Text: "zeppelin", RerankCount: 64, RerankBudget: time.Minute})
	if read.Verdict != scoring.VerdictNone || read.Total != 0 {
		t.Errorf("refused: %s, %d hits", read.Verdict, read.Total)
	}
}

func TestShowAndMinimumProbability(t *testing.T) {
	s := newTestSearcher(t, populated(300), Options{})
	base := contract.Request{Text: "cat dog", Limit: 1000, RerankCount: 1000, RerankBudget: time.Minute}
	count := func(change func(*contract.Request)) map[scoring.Verdict]int {
		request := base
		change(&request)
		response := search(t, s, request)
		verdicts := map[scoring.Verdict]int{}
		for _, hit := range response.Hits {
			verdicts[hit.Verdict]++
			if hit.Probability < request.MinimumProbability {
				t.Errorf("probability %v is shown where %v is the least", hit.Probability, request.MinimumProbability)
			}
		}
		if response.Total+response.Hidden != 300 || response.Total != len(response.Hits) {
			t.Errorf("%d shown and %d hidden of 300", response.Total, response.Hidden)
		}
		return verdicts
	}
	all := count(func(r *contract.Request) { r.Show = contract.ShowAll })
	if all[scoring.VerdictStrong] == 0 || all[scoring.VerdictWeak] == 0 || all[scoring.VerdictNone] == 0 {
		t.Fatalf("the world has %v", all)
	}
	for name, test := range map[string]struct {
		change func(*contract.Request)
		want   map[scoring.Verdict]int
	}{
		"weak":    {func(*contract.Request) {}, map[scoring.Verdict]int{scoring.VerdictStrong: all[scoring.VerdictStrong], scoring.VerdictWeak: all[scoring.VerdictWeak]}},
		"strong":  {func(r *contract.Request) { r.Show = contract.ShowStrong }, map[scoring.Verdict]int{scoring.VerdictStrong: all[scoring.VerdictStrong]}},
		"likely":  {func(r *contract.Request) { r.MinimumProbability = 0.9 }, map[scoring.Verdict]int{scoring.VerdictStrong: all[scoring.VerdictStrong]}},
		"certain": {func(r *contract.Request) { r.MinimumProbability = 1 }, map[scoring.Verdict]int{}},
	} {
		if diff := cmp.Diff(test.want, count(test.change)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestQuotedWordsAreAnAnswer: who quotes asks for the words, and has them, even
// where matching sees nothing of the kind.
func TestQuotedWordsAreAnAnswer(t *testing.T) {
	w := populated(50)
	quoted := w.add("/library/x.jpg", "boat")
	quoted.Captions[0].Text = "a zeppelin ride"
	response := search(t, newTestSearcher(t, w, Options{}), contract.Request{Text: `"zeppelin ride"`})
	if len(response.Hits) != 1 || response.Hits[0].ID != quoted.ID || response.Verdict != scoring.VerdictStrong || response.Hits[0].Basis != contract.BasisWords {
		t.Errorf("got %s with %+v", response.Verdict, response.Hits)
	}
	if bare := search(t, newTestSearcher(t, w, Options{}), contract.Request{Text: "zeppelin ride"}); bare.Verdict == scoring.VerdictStrong {
		t.Errorf("without quotes: %s", bare.Verdict)
	}
}
