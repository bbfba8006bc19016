package scoring

import (
	"encoding/json"
	"fmt"
	"math"
)

// Feature is one of the features of the scoring model, see [Evidence.Features].
type Feature int

// The features. A rise of evidence (all but bias, length and captioned) never makes a
// text less likely.
const (
	// FeatureBias is 1.
	FeatureBias Feature = iota
	// FeatureLength is ln(n) of n content words: raw scores of short texts are lower. It
	// is the same for every picture, so it moves verdicts and never the order.
	FeatureLength
	// FeatureITC is the cosine of text and picture, -1 to 1.
	FeatureITC
	// FeatureITCLength is the same times ln(n): the more a text says, the better its
	// vector tells pictures apart.
	FeatureITCLength
	// FeatureITM is the positive logit of image-text matching.
	FeatureITM
	// FeatureWords is the share of the content words in the picture's captions and
	// names, 0 to 1.
	FeatureWords
	// FeatureAllWords is 1 where all of the words are there.
	FeatureAllWords
	// FeatureCaptioned is 1 where there are captions to look at, so that a word that is
	// not in them says something.
	FeatureCaptioned

	FeatureCount
)

// String gives the feature's name in JSON and explanations.
func (f Feature) String() string {
	names := [FeatureCount]string{"bias", "length", "itc", "itc_length", "itm", "words", "all_words", "captioned"}
	if f < 0 || f >= FeatureCount {
		return fmt.Sprintf("feature %d", int(f))
	}
	return names[f]
}

// IsEvidence reports whether more of the feature must not make a text less likely.
func (f Feature) IsEvidence() bool {
	return f != FeatureBias && f != FeatureLength && f != FeatureCaptioned
}

// Features has a number for each feature: a value or a weight. Its JSON is an object
// from names to numbers, in which what is left out is 0.
type Features [FeatureCount]float64

// MarshalJSON implements json.Marshaler.
func (f Features) MarshalJSON() ([]byte, error) {
	named := map[string]float64{}
	for feature, value := range f {
		if value != 0 {
			named[Feature(feature).String()] = value
		}
	}
	return json.Marshal(named)
}

// UnmarshalJSON implements json.Unmarshaler. A name that is no feature is an error.
func (f *Features) UnmarshalJSON(data []byte) error {
	var named map[string]float64
	if err := json.Unmarshal(data, &named); err != nil {
		return err
	}
	*f = Features{}
	for feature := range FeatureCount {
		f[feature] = named[feature.String()]
		delete(named, feature.String())
	}
	for name := range named {
		return fmt.Errorf("there is no feature %q", name)
	}
	return nil
}

// Evidence is what is known of one text and one picture.
type Evidence struct {
	// ITM is the positive logit of matching; NaN where it has not read the pair.
	ITM float64
	// ITC is the cosine.
	ITC float64
	// ContentWords is the number of words that are more than grammar.
	ContentWords int
	// Words is the share of them in the picture's captions and names, 0 to 1, and
	// Captioned says that there are captions. Both are zero where words have no say.
	Words     float64
	Captioned bool
	// Surprise is what ITM said of other pictures and the same text beside what was
	// expected, see [Calibration.Surprise].
	Surprise float64
	// Images is the number of pictures that were searched; 0 where the picture was
	// not chosen among others.
	Images int
}

// Features gives the values of the features; a missing ITM counts 0.
func (e Evidence) Features() Features {
	length := math.Log(float64(max(e.ContentWords, 1)))
	features := Features{
		FeatureBias: 1, FeatureLength: length, FeatureITC: e.ITC, FeatureITCLength: e.ITC * length, FeatureWords: e.Words,
	}
	if e.Read() {
		features[FeatureITM] = e.ITM
	}
	if e.Words > 1-1e-9 {
		features[FeatureAllWords] = 1
	}
	if e.Captioned {
		features[FeatureCaptioned] = 1
	}
	return features
}

// Read reports whether ITM has read the pair.
func (e Evidence) Read() bool { return !math.IsNaN(e.ITM) }

// Odds gives the log-odds that the text is true of the picture. It is the one place in
// which evidence becomes an order and a probability.
func (c Calibration) Odds(e Evidence) float64 {
	odds := 0.0
	for _, part := range c.Contributions(e) {
		odds += part
	}
	if c.Images > 0 && e.Images > c.Images {
		odds += c.Library * math.Log(float64(e.Images)/float64(c.Images))
	}
	return odds
}

// Contributions gives what each feature adds to the log-odds. Where ITM has not read
// the pair, its logit is expected from the other features, so that these count for it
// too, and from what it said of other pictures, and all is drawn towards even odds by how
// far it may be from that (MacKay 1992).
func (c Calibration) Contributions(e Evidence) Features {
	features, scale := e.Features(), 1.0
	weights := c.Weights
	if !e.Read() {
		deviation := c.Weights[FeatureITM] * c.ITMDeviation
		scale = 1 / math.Sqrt(1+math.Pi/8*deviation*deviation)
		for i := range weights {
			weights[i] += c.Weights[FeatureITM] * c.ExpectedITM[i]
		}
		weights[FeatureBias] += c.Weights[FeatureITM] * e.Surprise
	}
	for i := range features {
		features[i] *= scale * weights[i]
	}
	return features
}

// Surprise is how much less than expected ITM said of pictures that it has read with one
// text, on average, 0 or less: where it has refused what looked best, the rest is no
// better. A few pictures count as less than many do.
func (c Calibration) Surprise(read []Evidence) float64 {
	sum := 0.0
	for _, e := range read {
		sum += e.ITM
		for i, value := range e.Features() {
			sum -= c.ExpectedITM[i] * value
		}
	}
	return min(sum/(float64(len(read))+surprisePrior), 0)
}

// Named adds to the log-odds of what a picture shows those of its names, of which every
// word of a text was found, with a worth above 0 and up to 1. Who names a picture means
// it: what it shows may speak for it too, and not against it.
func (c Calibration) Named(odds, worth float64) float64 { return max(odds, 0) + c.Name*worth }

// Sigmoid turns log-odds into a probability.
func Sigmoid(odds float64) float64 { return 1 / (1 + math.Exp(-odds)) }

// LogOdds turns a probability into log-odds, at most certain either way.
func LogOdds(probability float64) float64 {
	if probability <= 0 {
		return -Certain
	}
	if probability >= 1 {
		return Certain
	}
	return min(max(math.Log(probability)-math.Log1p(-probability), -Certain), Certain)
}

// Squash maps log-odds onto 0 to 1, in order, without saturating: beyond 0.9999 a
// probability hides an order that log-odds still show.
func Squash(odds float64) float64 { return (1 + odds/(1+math.Abs(odds))) / 2 }
