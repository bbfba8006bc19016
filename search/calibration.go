package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"mekiki/internal/sorted"
)

// Calibration turns evidence into probabilities by logistic curves, and
// probabilities into verdicts. It belongs to a model: its JSON is the
// calibration of the model's manifest. docs/ranking.md says how it is made.
type Calibration struct {
	// Match judges a pair that ITM has read, Vector one that it has not.
	Match  Curve `json:"match"`
	Vector Curve `json:"vector"`
	// MatchUncaptioned and VectorUncaptioned are the same where the picture's
	// captions say nothing: it has none, or words are left out of the ranking.
	MatchUncaptioned  Curve `json:"match_uncaptioned"`
	VectorUncaptioned Curve `json:"vector_uncaptioned"`
	// Strong and Weak are the least probabilities of these verdicts.
	Strong float64 `json:"strong"`
	Weak   float64 `json:"weak"`
	// Images is the number of images that were searched for the examples. In a
	// larger library chance finds more: see [Calibration.Chance]. 0 means unknown.
	Images int `json:"images"`
	// FusionWeight is the share of the ITC leg in convex fusion, 0 to 1.
	FusionWeight float64 `json:"fusion_weight"`
	// KeywordScale is the BM25 score a word that counts half in convex fusion.
	KeywordScale float64 `json:"keyword_scale"`
	// CaptionWords is how many content words of a query captions count for in
	// convex fusion, however many more there are. 0 means all of them.
	CaptionWords float64 `json:"caption_words"`
}

// Curve gives the log-odds that a text is true of a picture as a weighted sum
// of the evidence. A probability never falls when evidence rises.
type Curve struct {
	// Logit is the weight of ITM's positive logit; 0 where it has none.
	Logit float64 `json:"logit"`
	// Cosine is the weight of the ITC cosine.
	Cosine float64 `json:"cosine"`
	// CosineWords is the weight of the ITC cosine times the natural logarithm of
	// the number of content words: the more a text says, the more its likeness
	// tells pictures apart.
	CosineWords float64 `json:"cosine_words,omitempty"`
	// Words is the weight of the natural logarithm of the number of content
	// words. It is the same for every picture: it sets how much the scores of
	// short texts are worth beside those of long ones.
	Words float64 `json:"words"`
	// Caption is the weight of the cube of the share of content words that
	// stand in the picture's own caption.
	Caption float64 `json:"caption"`
	// Intercept is added to all.
	Intercept float64 `json:"intercept"`
}

// Evidence is what is known of one text and one picture.
type Evidence struct {
	// Logit is ITM's positive logit; NaN where ITM has not read the pair.
	Logit float64
	// Cosine is the ITC cosine.
	Cosine float64
	// ContentWords is the number of words that are more than grammar.
	ContentWords int
	// Caption is the share of these words in the best of the picture's own
	// captions, 0 to 1; NaN where it has none.
	Caption float64
}

// Odds gives the log-odds of the evidence.
func (c Curve) Odds(e Evidence) float64 {
	words := math.Log(float64(max(e.ContentWords, 1)))
	odds := (c.Cosine+c.CosineWords*words)*e.Cosine + c.Words*words + c.Intercept
	if c.Logit > 0 {
		odds += c.Logit * e.Logit
	}
	if c.Caption > 0 {
		odds += c.Caption * e.Caption * e.Caption * e.Caption
	}
	return odds
}

// DefaultCalibration is for models that bring none. Its ITM curve reads the
// published score (positive logit + ITC) as if it were the log-odds. Its ITC curve has its middle at
// 0.3, between what published checkpoints give unrelated pairs (about 0.15)
// and true ones (about 0.4; see the golden values of Hugging Face's tests).
func DefaultCalibration() Calibration {
	return Calibration{
		Match:             Curve{Logit: 1, Cosine: 1},
		Vector:            Curve{Cosine: 30, Intercept: -9},
		MatchUncaptioned:  Curve{Logit: 1, Cosine: 1},
		VectorUncaptioned: Curve{Cosine: 30, Intercept: -9},
		Strong:            0.7,
		Weak:              0.2,
		FusionWeight:      0.8,
		KeywordScale:      2,
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
	for name, curve := range sorted.All(map[string]Curve{
		"match": c.Match, "vector": c.Vector, "match_uncaptioned": c.MatchUncaptioned, "vector_uncaptioned": c.VectorUncaptioned,
	}) {
		check(finite(curve.Logit+curve.Cosine+curve.CosineWords+curve.Words+curve.Caption+curve.Intercept), "the %s curve is not finite", name)
		check(curve.Logit >= 0 && curve.Cosine >= 0 && curve.CosineWords >= 0 && curve.Caption >= 0 && curve.Logit+curve.Cosine+curve.CosineWords+curve.Caption > 0, "the %s curve must rise with the evidence", name)
	}
	check(c.Vector.Logit == 0 && c.VectorUncaptioned.Logit == 0, "the vector curves cannot count ITM's logit")
	check(c.MatchUncaptioned.Caption == 0 && c.VectorUncaptioned.Caption == 0, "the uncaptioned curves cannot count captions")
	check(c.Weak >= 0 && c.Weak <= c.Strong && c.Strong <= 1, "weak %v and strong %v must be 0 to 1 in this order", c.Weak, c.Strong)
	check(c.Images >= 0, "images %d are negative", c.Images)
	check(c.FusionWeight >= 0 && c.FusionWeight <= 1, "fusion weight %v is not 0 to 1", c.FusionWeight)
	check(c.KeywordScale > 0 && finite(c.KeywordScale), "keyword scale %v is not above 0", c.KeywordScale)
	check(c.CaptionWords >= 0 && finite(c.CaptionWords), "caption words %v are no number of words", c.CaptionWords)
	return errors.Join(problems...)
}

// Chance is what the log-odds of a text lose in a library of so many images: half
// the logarithm of how many times more there are than in the examples. It is the
// same for every image, so it moves verdicts and never the order.
//
// The more images are looked at, the better the best of those that do not match.
// Where one image is right however large the library, each has so much smaller a
// chance to be it, and the whole logarithm would have to go; where the right ones
// grow with the library, nothing. Half lies between.
func (c Calibration) Chance(images int) float64 {
	if c.Images == 0 || images <= c.Images {
		return 0
	}
	return math.Log(float64(images)/float64(c.Images)) / 2
}

// Words gives the part that words play in convex fusion, 0 to 1, before they are
// weighed: of a query of so many content words, with this BM25 score, and this
// share of its words among the picture's names.
//
// BM25 grows with the number of words and has no upper bound, so it is brought to
// 0 to 1 by that number. What stands in captions and in no name counts for a few
// words at most: the model wrote the captions out of what the vector says too,
// and the vector tells long texts apart better than word by word.
func (c Calibration) Words(score float64, words int, named float64) float64 {
	count := float64(max(words, 1))
	scaled := score / (score + c.KeywordScale*count)
	if c.CaptionWords == 0 || count <= c.CaptionWords {
		return scaled
	}
	captions := c.CaptionWords / count
	return scaled * (captions + (1-captions)*named*named*named)
}

// Odds gives the log-odds of the evidence by the curve that suits it.
func (c Calibration) Odds(e Evidence) float64 {
	read, captioned := !math.IsNaN(e.Logit), !math.IsNaN(e.Caption)
	switch {
	case read && captioned:
		return c.Match.Odds(e)
	case read:
		return c.MatchUncaptioned.Odds(e)
	case captioned:
		return c.Vector.Odds(e)
	}
	return c.VectorUncaptioned.Odds(e)
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
