package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"

	"mekiki/search"
)

func TestFitCurve(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 3))
	want := search.Curve{Logit: 2, Cosine: 5, Words: 1, Caption: 3, Intercept: -3}
	var examples []example
	for range 50000 {
		e := search.Evidence{Logit: random.NormFloat64(), Cosine: random.Float64(), ContentWords: 1 + random.IntN(9), Caption: random.Float64()}
		examples = append(examples, example{e, random.Float64() < 1/(1+math.Exp(-want.Odds(e))), 1})
	}
	got, err := fitCurve(examples, true, true)
	for name, difference := range map[string]float64{
		"logit": got.Logit - want.Logit, "cosine": got.Cosine - want.Cosine, "words": got.Words - want.Words,
		"caption": got.Caption - want.Caption, "intercept": got.Intercept - want.Intercept,
	} {
		if err != nil || math.Abs(difference) > 0.3 {
			t.Errorf("%s is off by %v: %+v, %v", name, difference, got, err)
		}
	}
	if bare, err := fitCurve(examples, false, false); err != nil || bare.Logit != 0 || bare.Caption != 0 || bare.Cosine <= 0 {
		t.Errorf("without logit and caption: %+v, %v", bare, err)
	}
	at := func(logit float64, right bool) example {
		return example{search.Evidence{Logit: logit, Cosine: 0.5, ContentWords: 2}, right, 1}
	}
	apart, err := fitCurve([]example{at(1, true), at(2, true), at(-1, false), at(-2, false)}, true, false)
	if err != nil || math.IsInf(apart.Logit, 0) || apart.Odds(at(2, true).evidence) < 0.4 || apart.Odds(at(-2, true).evidence) > -0.4 {
		t.Errorf("classes apart: %+v, %v", apart, err)
	}
	if _, err := fitCurve([]example{at(1, true)}, true, false); err == nil {
		t.Error("one class is fitted")
	}
	if _, err := fitCurve([]example{at(1, false), at(2, false), at(-1, true), at(-2, true)}, true, false); err == nil {
		t.Error("a falling curve is taken")
	}
}

// TestFittedCurvesRise holds that whatever the examples, more evidence never
// makes a text less likely.
func TestFittedCurvesRise(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 9))
		var examples []example
		weights := [3]float64{random.NormFloat64() * 3, random.NormFloat64() * 3, random.NormFloat64() * 3}
		for range 200 {
			e := search.Evidence{Logit: random.NormFloat64(), Cosine: random.NormFloat64(), ContentWords: 1 + random.IntN(9), Caption: random.Float64()}
			odds := weights[0]*e.Logit + weights[1]*e.Cosine + weights[2]*e.Caption
			examples = append(examples, example{e, random.Float64() < 1/(1+math.Exp(-odds)), 1})
		}
		curve, err := fitCurve(examples, true, true)
		if err != nil {
			continue // nothing rises
		}
		low := search.Evidence{Logit: -1, Cosine: 0.1, ContentWords: 3, Caption: 0.2}
		for name, high := range map[string]search.Evidence{
			"logit": {Logit: 1, Cosine: 0.1, ContentWords: 3, Caption: 0.2}, "cosine": {Logit: -1, Cosine: 0.9, ContentWords: 3, Caption: 0.2},
			"caption": {Logit: -1, Cosine: 0.1, ContentWords: 3, Caption: 0.9},
		} {
			if curve.Odds(high) < curve.Odds(low) {
				t.Errorf("seed %d: a higher %s makes it less likely: %+v", seed, name, curve)
			}
		}
	}
}
