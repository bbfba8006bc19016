package search

import (
	"cmp"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/scoring"
)

func TestEmptyKeywordLegLeavesVectorOrder(t *testing.T) {
	w := populated(200)
	for _, record := range w.records { // nothing to match words with
		record.Captions, record.Files = nil, []index.File{{Path: "/x"}}
	}
	neighbours := (&worldSnapshot{world: w}).nearest(textDirection("cat pizza"), 200, index.Filter{}, index.KindImage)
	var want []index.ID
	for _, neighbour := range neighbours {
		want = append(want, neighbour.ID)
	}
	s := newTestSearcher(t, w, Options{})
	for _, fusion := range []contract.Fusion{contract.FusionConvex, contract.FusionReciprocalRank} {
		hybrid := search(t, s, contract.Request{Text: "cat pizza", Show: contract.ShowAll, Limit: 200, RerankBudget: noRerank, Fusion: fusion})
		if diff := gocmp.Diff(want, hitIDs(hybrid)); diff != "" {
			t.Errorf("%s: %s", fusion, diff)
		}
	}
}

func TestWeightReproducesLegs(t *testing.T) {
	w := populated(200)
	w.add("/library/cat/pizza.jpg", "boat") // named so, and shows something else
	s := newTestSearcher(t, w, Options{})
	snapshot, _ := w.Reader(t.Context())
	defer snapshot.Close()
	neighbours, _ := snapshot.Nearest(t.Context(), index.KindImage, textDirection("cat pizza"), 300, index.Filter{})
	var vector, keyword []index.ID
	for _, neighbour := range neighbours {
		vector = append(vector, neighbour.ID)
	}
	hits, _ := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: "cat pizza"}, 300, index.Filter{})
	for _, hit := range hits {
		keyword = append(keyword, hit.ID)
	}
	for _, fusion := range []contract.Fusion{contract.FusionConvex, contract.FusionReciprocalRank} {
		base := contract.Request{Text: "cat pizza", Show: contract.ShowAll, Limit: 300, RerankBudget: noRerank, Fusion: fusion}
		base.Weight = pointer(1.0)
		if diff := gocmp.Diff(vector, hitIDs(search(t, s, base))); diff != "" {
			t.Errorf("%s, weight 1: %s", fusion, diff)
		}
		base.Weight = pointer(0.0)
		base.Explain = true
		hits := search(t, s, base).Hits // in the order of their probability
		slices.SortFunc(hits, func(a, b contract.Hit) int { return cmp.Compare(a.Explanation.FusedRank, b.Explanation.FusedRank) })
		if diff := gocmp.Diff(keyword, hitIDs(contract.Response{Hits: hits})); diff != "" {
			t.Errorf("%s, weight 0: %s", fusion, diff)
		}
	}
}

// TestFusedScoresAreTheFormulas compares the fused scores of a search with the
// formulas of docs/ranking.md.
func TestFusedScoresAreTheFormulas(t *testing.T) {
	w := populated(300)
	w.add("/library/cat/dog.jpg", "boat", "pizza")
	s := newTestSearcher(t, w, Options{})
	for _, weight := range []float64{0.05, 0.3, 0.8, 0.95} {
		request := contract.Request{Text: "cat dog pizza", Show: contract.ShowAll, Limit: 1000, RerankBudget: noRerank, Weight: &weight, Explain: true}
		hits := search(t, s, request).Hits
		places := func(leg func(contract.Explanation) *contract.Leg) map[index.ID]int {
			var scored []contract.Hit
			for _, hit := range hits {
				if leg(*hit.Explanation) != nil {
					scored = append(scored, hit)
				}
			}
			slices.SortFunc(scored, func(a, b contract.Hit) int {
				return cmpOr(leg(*b.Explanation).Score-leg(*a.Explanation).Score, float64(a.ID)-float64(b.ID))
			})
			places := map[index.ID]int{}
			for i, hit := range scored {
				places[hit.ID] = i + 1
			}
			return places
		}
		vectors := places(func(e contract.Explanation) *contract.Leg { return e.Vector })
		words := places(func(e contract.Explanation) *contract.Leg { return e.Keyword })
		ranks := map[index.ID]float64{}
		for _, hit := range hits {
			want := weight * (hit.Explanation.Vector.Score + 1) / 2
			ranks[hit.ID] = weight / float64(60+vectors[hit.ID])
			if leg := hit.Explanation.Keyword; leg != nil {
				const terms, half = 3, 4
				want += (1 - weight) * leg.Score / (leg.Score + half*terms)
				ranks[hit.ID] += (1 - weight) / float64(60+words[hit.ID])
			}
			if math.Abs(want-hit.Explanation.Fused) > 1e-5 {
				t.Errorf("weight %v, record %v: fused %v, want %v: %+v", weight, hit.ID, hit.Explanation.Fused, want, hit.Explanation)
			}
		}
		request.Fusion = contract.FusionReciprocalRank
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

// TestEqualOddsAreOrderedByITC: a fit may leave ITC nothing to say of texts of one word,
// and candidates are still read from the likeliest on.
func TestEqualOddsAreOrderedByITC(t *testing.T) {
	w := populated(100)
	for _, record := range w.records {
		record.Captions, record.Files = nil, []index.File{{Path: "/x"}}
	}
	calibration := scoring.DefaultCalibration()
	calibration.Weights[scoring.FeatureITC], calibration.Weights[scoring.FeatureITCLength] = 0, 5
	calibration.ExpectedITM = scoring.Features{scoring.FeatureBias: -3}
	hits := search(t, newTestSearcher(t, w, Options{Calibration: &calibration}), contract.Request{Text: "cat", Show: contract.ShowAll, Limit: 100, RerankBudget: noRerank, Explain: true}).Hits
	for i := 1; i < len(hits); i++ {
		if before, after := hits[i-1].Explanation, hits[i].Explanation; before.Vector.Score < after.Vector.Score || before.FusedRank > after.FusedRank {
			t.Fatalf("hit %d has the cosine %v and stands behind %v", i+1, after.Vector.Score, before.Vector.Score)
		}
	}
}
