package evaluate

import (
	"errors"
	"math"

	"mekiki/search"
)

// example is a raw score with the truth, and how much it counts.
type example struct {
	score  float64
	right  bool
	weight float64
}

// fitLogistic finds the curve of largest likelihood by Newton's method, with
// Platt's targets, which keep it finite where the classes are apart (Platt 1999;
// Lin, Lin and Weng 2007).
func fitLogistic(examples []example) (search.Logistic, error) {
	var right, wrong, mean, deviation float64
	for _, e := range examples {
		mean += e.score * e.weight
		if e.right {
			right += e.weight
		} else {
			wrong += e.weight
		}
	}
	if right == 0 || wrong == 0 {
		return search.Logistic{}, errors.New("there are no right or no wrong examples")
	}
	mean /= right + wrong
	for _, e := range examples {
		deviation += (e.score - mean) * (e.score - mean) * e.weight / (right + wrong)
	}
	deviation = max(math.Sqrt(deviation), 1e-9)
	high, low := (right+1)/(right+2), 1/(wrong+2)
	slope, intercept := 0.0, math.Log(right/wrong)
	for range 100 {
		var g0, g1, h00, h01, h11 float64
		for _, e := range examples {
			x := (e.score - mean) / deviation
			p := 1 / (1 + math.Exp(-(slope*x + intercept)))
			target := low
			if e.right {
				target = high
			}
			difference, weight := e.weight*(p-target), e.weight*max(p*(1-p), 1e-12)
			g0 += difference * x
			g1 += difference
			h00 += weight * x * x
			h01 += weight * x
			h11 += weight
		}
		h00, h11 = h00+1e-6, h11+1e-6
		determinant := h00*h11 - h01*h01
		step0, step1 := (h11*g0-h01*g1)/determinant, (h00*g1-h01*g0)/determinant
		// Long steps overshoot where the curve is flat.
		limit := max(math.Abs(step0), math.Abs(step1), 1)
		slope, intercept = slope-step0/limit, intercept-step1/limit
		if math.Abs(step0)+math.Abs(step1) < 1e-9 {
			break
		}
	}
	fitted := search.Logistic{Slope: roundTo(slope/deviation, 5), Intercept: roundTo(intercept-slope*mean/deviation, 5)}
	if !(fitted.Slope > 0) {
		return search.Logistic{}, errors.New("higher scores are not likelier to be right: the model has learned nothing")
	}
	return fitted, nil
}

// pair is an example of the published score with its cosine.
type pair struct {
	example
	cosine float64
}

// fitMatch finds the curve of a score to which the cosine is added so many
// times that the likelihood is largest.
func fitMatch(pairs []pair) (curve search.Logistic, cosine float64, err error) {
	best := math.Inf(-1)
	for _, times := range []float64{0, 1, 2, 5, 10, 20, 40} {
		examples := make([]example, len(pairs))
		for i, p := range pairs {
			examples[i] = p.example
			examples[i].score += times * p.cosine
		}
		fitted, fitErr := fitLogistic(examples)
		if fitErr != nil {
			err = fitErr
			continue
		}
		if likelihood := logLikelihood(fitted, examples); likelihood > best {
			best, curve, cosine = likelihood, fitted, times
		}
	}
	if math.IsInf(best, -1) {
		return search.Logistic{}, 0, err
	}
	return curve, cosine, nil
}

func logLikelihood(curve search.Logistic, examples []example) float64 {
	sum := 0.0
	for _, e := range examples {
		odds := curve.Odds(e.score)
		if !e.right {
			odds = -odds
		}
		sum -= e.weight * math.Log1p(math.Exp(-odds))
	}
	return sum
}
