package scoring

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// CalibrationVersion is the version of a calibration's JSON. What an earlier version
// fitted is not read: such a model is ranked by the published rule until it is fitted
// again.
const CalibrationVersion = 2

// Calibration is the scoring model of one image-text model: a logistic regression from
// evidence to the log-odds that a text is true of a picture, and the probabilities from
// which on a hit is called strong or weak. Its JSON is the calibration of the image-text
// model's manifest. docs/ranking.md defines it.
type Calibration struct {
	// Version is CalibrationVersion, or 0 for the published rule.
	Version int `json:"version"`
	// Weights are those of the regression.
	Weights Features `json:"weights"`
	// ExpectedITM gives the ITM logit to expect from the other features, a linear
	// regression, and ITMDeviation the standard deviation of what it leaves unexplained.
	// They stand in for ITM where it has not read a pair.
	ExpectedITM  Features `json:"expected_itm"`
	ITMDeviation float64  `json:"itm_deviation"`
	// Name is the log-odds that a picture is meant whose names have every word of a text.
	Name float64 `json:"name"`
	// Library is what the log-odds gain, less than 0 for lose, for each e-fold of
	// pictures beyond Images. It is no feature that a fit can see, which has one library.
	Library float64 `json:"library"`
	// Images is the number of pictures that were searched for the fit; 0 means unknown.
	Images int `json:"images"`
	// Likeness is of two pictures; nil means [DefaultLikeness].
	Likeness *Likeness `json:"likeness,omitempty"`
	// Strong and Weak are the least probabilities of these verdicts.
	Strong float64 `json:"strong"`
	Weak   float64 `json:"weak"`
}

// DefaultCalibration is the published rule, for models that bring none: ITC finds the
// candidates, and what ITM has read is ordered by its positive logit plus the ITC cosine
// (LAVIS), which are read as log-odds. An estimate before ITM has its middle at a cosine of
// 0.3, between what published checkpoints give unrelated pairs (about 0.15) and true
// ones (about 0.4; see the golden values of Hugging Face's tests). Captions count for
// nothing, since nobody knows how good the model's are.
func DefaultCalibration() Calibration {
	c := Calibration{Name: defaultName, Strong: 0.7, Weak: 0.2}
	c.Weights[FeatureITM], c.Weights[FeatureITC] = 1, 1
	c.ExpectedITM[FeatureITC], c.ExpectedITM[FeatureBias] = 29, -9
	return c
}

// ParseCalibration reads the calibration of a model's manifest or a file. No data and an
// earlier version give the published rule, of Version 0; a later version is an error.
func ParseCalibration(data []byte) (Calibration, error) {
	var version struct {
		Version int `json:"version"`
	}
	if len(data) == 0 {
		return DefaultCalibration(), nil
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return Calibration{}, fmt.Errorf("read calibration: %w", err)
	}
	switch {
	case version.Version < CalibrationVersion:
		return DefaultCalibration(), nil
	case version.Version > CalibrationVersion:
		return Calibration{}, fmt.Errorf("read calibration: version %d is newer than this program's %d", version.Version, CalibrationVersion)
	}
	var c Calibration
	if err := json.Unmarshal(data, &c); err != nil {
		return Calibration{}, fmt.Errorf("read calibration: %w", err)
	}
	if err := c.Validate(); err != nil {
		return Calibration{}, fmt.Errorf("read calibration: %w", err)
	}
	return c, nil
}

// Validate reports every field out of its range.
func (c Calibration) Validate() error {
	var problems []error
	check := func(ok bool, format string, arguments ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, arguments...))
		}
	}
	evidence := 0.0
	for feature := range FeatureCount {
		name, weight, estimated := feature.String(), c.Weights[feature], c.Weights[feature]+c.Weights[FeatureITM]*c.ExpectedITM[feature]
		check(!math.IsInf(estimated, 0) && !math.IsNaN(estimated), "the weight of %s is not finite", name)
		if feature.IsEvidence() {
			check(weight >= 0 && estimated >= -1e-6, "odds must rise with %s", name)
			evidence += weight
		}
	}
	check(evidence > 0, "no evidence has a weight")
	check(c.ExpectedITM[FeatureITM] == 0, "the expected ITM cannot count ITM")
	check(c.ITMDeviation >= 0 && !math.IsInf(c.ITMDeviation, 0), "the deviation %v of ITM is not 0 or more", c.ITMDeviation)
	check(c.Name >= 0 && !math.IsInf(c.Name, 0), "the weight %v of names is not 0 or more", c.Name)
	check(c.Library <= 0 && c.Library >= -1, "library %v is not -1 to 0", c.Library)
	if c.Likeness != nil {
		slope, offset := c.Likeness.Slope, c.Likeness.Offset
		check(slope > 0 && !math.IsInf(slope, 0), "the slope %v of likeness is not above 0", slope)
		check(!math.IsNaN(offset) && !math.IsInf(offset, 0), "the offset of likeness is not finite")
	}
	check(c.Images >= 0, "images %d are negative", c.Images)
	check(c.Weak >= 0 && c.Weak <= c.Strong && c.Strong <= 1, "weak %v and strong %v must be 0 to 1 in this order", c.Weak, c.Strong)
	return errors.Join(problems...)
}

// Verdict says what a probability means.
func (c Calibration) Verdict(probability float64) Verdict {
	switch {
	case probability >= c.Strong:
		return VerdictStrong
	case probability >= c.Weak:
		return VerdictWeak
	}
	return VerdictNone
}
