package logistic

import (
	"math"
	"math/rand/v2"
	"testing"

	"mekiki/search/scoring"
)

// randomEvidence draws evidence of a pair that ITM has read.
func randomEvidence(random *rand.Rand) scoring.Evidence {
	return scoring.Evidence{
		ITM: random.NormFloat64(), ITC: random.Float64(), ContentWords: 1 + random.IntN(9),
		Words: float64(random.IntN(4)) / 3, Captioned: random.IntN(2) == 0,
	}
}

func TestFitWeights(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 3))
	want := scoring.Features{
		scoring.FeatureBias: -3, scoring.FeatureLength: 1, scoring.FeatureITC: 2, scoring.FeatureITCLength: 3, scoring.FeatureITM: 2,
		scoring.FeatureWords: 1, scoring.FeatureAllWords: 2, scoring.FeatureCaptioned: -1,
	}
	var examples []Example
	for range 50000 {
		features := randomEvidence(random).Features()
		examples = append(examples, Example{features, random.Float64() < scoring.Sigmoid(Dot(want, features)), 1})
	}
	got, err := fitWeights(examples)
	for i := range want {
		if err != nil || math.Abs(got[i]-want[i]) > 0.5 {
			t.Errorf("%v is %v and was %v: %v", scoring.Feature(i), got[i], want[i], err)
		}
	}
	at := func(itm float64, right bool) Example {
		return Example{scoring.Evidence{ITM: itm, ITC: 0.5, ContentWords: 2}.Features(), right, 1}
	}
	apart, err := fitWeights([]Example{at(1, true), at(2, true), at(-1, false), at(-2, false)})
	if err != nil || math.IsInf(apart[scoring.FeatureITM], 0) || Dot(apart, at(2, true).Features) < 0.4 || Dot(apart, at(-2, true).Features) > -0.4 {
		t.Errorf("classes apart: %+v, %v", apart, err)
	}
	if _, err := fitWeights([]Example{at(1, true)}); err == nil {
		t.Error("one class is fitted")
	}
	if _, err := fitWeights([]Example{at(1, false), at(2, false), at(-1, true), at(-2, true)}); err == nil {
		t.Error("scores that fall are taken")
	}
}

// TestFitExpected holds the regression of ITM to the line that made it.
func TestFitExpected(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 3))
	var examples []Example
	for range 20000 {
		features := randomEvidence(random).Features()
		features[scoring.FeatureITM] = -6 - features[scoring.FeatureLength] + 5*features[scoring.FeatureITCLength] - 2*features[scoring.FeatureWords] + 1.5*random.NormFloat64()
		examples = append(examples, Example{features, true, 1})
	}
	got, deviation := fitExpected(examples)
	// Words speak against ITM here, and have to be left out.
	if math.Abs(got[scoring.FeatureITCLength]-5) > 0.2 || math.Abs(got[scoring.FeatureLength]+1) > 0.2 || got[scoring.FeatureWords] != 0 || got[scoring.FeatureITM] != 0 {
		t.Errorf("got %+v", got)
	}
	if deviation < 1.4 || deviation > 1.9 {
		t.Errorf("a deviation of %v", deviation)
	}
}

func TestFitName(t *testing.T) {
	if got := FitName(nil, nil, nil); got != scoring.DefaultCalibration().Name {
		t.Errorf("without examples: %v", got)
	}
	random := rand.New(rand.NewPCG(3, 3))
	var odds, worth []float64
	var right []bool
	for range 20000 {
		odds, worth = append(odds, 4*random.NormFloat64()-4), append(worth, 0.6+0.4*random.Float64())
		right = append(right, random.Float64() < scoring.Sigmoid(scoring.Calibration{Name: 2}.Named(odds[len(odds)-1], worth[len(worth)-1])))
	}
	if got := FitName(odds, worth, right); math.Abs(got-2) > 0.1 {
		t.Errorf("a name is worth %v, want 2", got)
	}
	if got := FitName([]float64{-5, -5, -5}, []float64{1, 1, 1}, []bool{true, true, true}); got < 1 || got > 2 {
		t.Errorf("three names that are right are worth %v", got)
	}
}

// TestFittedOddsRise holds that whatever the examples, more evidence never
// makes a text less likely.
func TestFittedOddsRise(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 9))
		var examples []Example
		var truth scoring.Features
		for i := range truth {
			truth[i] = 3 * random.NormFloat64()
		}
		for range 200 {
			features := randomEvidence(random).Features()
			examples = append(examples, Example{features, random.Float64() < scoring.Sigmoid(Dot(truth, features)), 1})
		}
		calibration := scoring.Calibration{Strong: 0.5}
		if err := Fit(&calibration, examples); err != nil {
			continue // nothing rises
		}
		if err := calibration.Validate(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}
