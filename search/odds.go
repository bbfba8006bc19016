package search

import "math"

// Probabilities are combined as log-odds, because ITM saturates: beyond
// 0.9999 a probability hides an order that the logits still show.

// sigmoid turns log-odds into a probability.
func sigmoid(odds float64) float64 { return 1 / (1 + math.Exp(-odds)) }

// logOdds turns a probability into log-odds, at most 40 either way.
func logOdds(probability float64) float64 {
	const bound = 40
	if probability <= 0 {
		return -bound
	}
	if probability >= 1 {
		return bound
	}
	return min(max(math.Log(probability)-math.Log1p(-probability), -bound), bound)
}

// softplus is log(1+exp(x)), which is -log(1-sigmoid(x)).
func softplus(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}

// eitherOdds is the log-odds that at least one of two independent reasons
// holds: 1-(1-p)(1-q).
func eitherOdds(a, b float64) float64 {
	// -log of the chance that neither holds; the odds are exp(neither)-1.
	neither := softplus(a) + softplus(b)
	if neither < 1e-8 {
		return max(a, b)
	}
	if neither > 30 {
		return neither
	}
	return math.Log(math.Expm1(neither))
}
