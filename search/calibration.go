package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Calibration turns raw scores into probabilities by logistic curves, and
// probabilities into verdicts. It belongs to a model: its JSON is the
// calibration of the model's manifest. docs/ranking.md says how it is made.
type Calibration struct {
	// Match maps the published score of one clause (ITM logit + ITC).
	Match Logistic `json:"match"`
	// MatchCosine is how much more than in the published sum ITC counts for a
	// probability: the curve is of ITM logit + (1+MatchCosine) ITC. 0 is the
	// published sum.
	MatchCosine float64 `json:"match_cosine"`
	// Vector maps the ITC cosine alone; it only estimates.
	Vector Logistic `json:"vector"`
	// Strong and Weak are the least probabilities of these verdicts.
	Strong float64 `json:"strong"`
	Weak   float64 `json:"weak"`
	// FusionWeight is the share of the ITC leg in convex fusion, 0 to 1.
	FusionWeight float64 `json:"fusion_weight"`
	// KeywordScale is the BM25 score that counts half in convex fusion.
	KeywordScale float64 `json:"keyword_scale"`
	// KeywordOdds is what a full keyword score adds to the log-odds by which
	// reranked hits are ordered; their probabilities stay ITM's.
	KeywordOdds float64 `json:"keyword_odds"`
}

// Logistic is the curve 1/(1+exp(-(Slope*x+Intercept))).
type Logistic struct {
	Slope     float64 `json:"slope"`
	Intercept float64 `json:"intercept"`
}

// Odds gives the log-odds of x.
func (l Logistic) Odds(x float64) float64 { return l.Slope*x + l.Intercept }

// Probability gives the probability of x.
func (l Logistic) Probability(x float64) float64 { return sigmoid(l.Odds(x)) }

// DefaultCalibration is for models that bring none. Its ITM curve reads the
// positive logit as if it were the log-odds. Its ITC curve has its middle at
// 0.3, between what published checkpoints give unrelated pairs (about 0.15)
// and true ones (about 0.4; see the golden values of Hugging Face's tests).
func DefaultCalibration() Calibration {
	return Calibration{
		Match:        Logistic{Slope: 1},
		Vector:       Logistic{Slope: 30, Intercept: -9},
		Strong:       0.7,
		Weak:         0.2,
		FusionWeight: 0.8,
		KeywordScale: 4,
	}
}

// ParseCalibration reads the calibration of a model's manifest. Fields that it
// does not have keep their default; no data at all gives the default.
func ParseCalibration(data []byte) (Calibration, error) {
	calibration := DefaultCalibration()
	if len(data) == 0 || string(data) == "null" {
		return calibration, nil
	}
	if err := json.Unmarshal(data, &calibration); err != nil {
		return Calibration{}, fmt.Errorf("read calibration: %w", err)
	}
	if err := calibration.Validate(); err != nil {
		return Calibration{}, fmt.Errorf("read calibration: %w", err)
	}
	return calibration, nil
}

// Validate reports every field out of its range.
func (c Calibration) Validate() error {
	var problems []error
	check := func(ok bool, format string, arguments ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, arguments...))
		}
	}
	finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	for name, curve := range map[string]Logistic{"match": c.Match, "vector": c.Vector} {
		check(curve.Slope > 0 && finite(curve.Slope) && finite(curve.Intercept), "the %s curve must rise and be finite", name)
	}
	check(c.MatchCosine >= 0 && finite(c.MatchCosine), "match cosine %v is below 0", c.MatchCosine)
	check(c.Weak >= 0 && c.Weak <= c.Strong && c.Strong <= 1, "weak %v and strong %v must be 0 to 1 in this order", c.Weak, c.Strong)
	check(c.FusionWeight >= 0 && c.FusionWeight <= 1, "fusion weight %v is not 0 to 1", c.FusionWeight)
	check(c.KeywordScale > 0 && finite(c.KeywordScale), "keyword scale %v is not above 0", c.KeywordScale)
	check(c.KeywordOdds >= 0 && finite(c.KeywordOdds), "keyword odds %v are below 0", c.KeywordOdds)
	return errors.Join(problems...)
}

// matchOdds gives the log-odds that a clause holds, of ITM's positive logit and
// the ITC cosine.
func (c Calibration) matchOdds(logit, cosine float64) float64 {
	return c.Match.Odds(logit + (1+c.MatchCosine)*cosine)
}

// verdict says what a probability means.
func (c Calibration) verdict(probability float64) Verdict {
	switch {
	case probability >= c.Strong:
		return VerdictStrong
	case probability >= c.Weak:
		return VerdictWeak
	}
	return VerdictNone
}
