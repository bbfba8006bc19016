package manifest

import "fmt"

// SelfCheck compares an int8 model with the same model in float32, on the
// same machine and sample inputs.
type SelfCheck struct {
	Images int `json:"images"` // sample images
	Pairs  int `json:"pairs"`  // image-text pairs
	// MeanCosine and WorstCosine compare each part's unit vector.
	MeanCosine  float64 `json:"mean_cosine"`
	WorstCosine float64 `json:"worst_cosine"`
	// TextMeanCosine and TextWorstCosine compare the texts' unit vectors.
	TextMeanCosine  float64 `json:"text_mean_cosine"`
	TextWorstCosine float64 `json:"text_worst_cosine"`
	// MatchDifference is the largest change of a pair's matching logits, MarginDifference that of the difference between
	// its two, and ProbabilityDifference that of its probability. MatchSpread is how far apart the pairs' margins lie; it
	// is 0 in models of earlier versions, where only MatchDifference was measured.
	MatchDifference       float64 `json:"match_difference"`
	MarginDifference      float64 `json:"margin_difference,omitempty"`
	ProbabilityDifference float64 `json:"probability_difference,omitempty"`
	MatchSpread           float64 `json:"match_spread,omitempty"`
	// CaptionDifference is the largest change of the log-probability of a sample text's next token, and CaptionSpread how
	// far apart those lie; both are 0 where there is no captioning head.
	CaptionDifference float64 `json:"caption_difference,omitempty"`
	CaptionSpread     float64 `json:"caption_spread,omitempty"`
	// Language compares the next-token distributions of a second stage's language model; nil
	// where there is none.
	Language *LanguageCheck `json:"language,omitempty"`
	// Seconds an image takes through the vision encoder and the image
	// transformer, in each precision.
	Float32Seconds float64 `json:"float32_seconds"`
	Int8Seconds    float64 `json:"int8_seconds"`
	// Instructions are those of the processor that it ran on, as
	// processor.Features lists them: another processor may round otherwise.
	Instructions []string `json:"instructions,omitempty"`
}

// LanguageCheck compares a quantised language model's next-token distributions with float32's, on texts about the sample
// images.
type LanguageCheck struct {
	Positions int `json:"positions"` // at which the distributions were compared
	// Divergence is the Kullback-Leibler divergence from float32's distribution in nats, on average; WorstDivergence the
	// largest.
	Divergence      float64 `json:"divergence"`
	WorstDivergence float64 `json:"worst_divergence"`
	// Agreement is how often the likeliest token is the same, between 0 and 1.
	Agreement float64 `json:"agreement"`
}

// Good reports whether the language model may be used as it is.
func (c LanguageCheck) Good() bool { return c.Divergence <= mostDivergence }

// Loss is the largest of what was lost, each as a share of what may be: more than 1, or NaN, is too much.
func (c SelfCheck) Loss() float64 {
	var largest float64
	for _, loss := range c.Losses() {
		largest = max(largest, loss.Share)
	}
	return largest
}

// Good reports whether the int8 model may be used as it is.
func (c SelfCheck) Good() bool { return c.Loss() <= 1 }

// GraphLoss is what the graphs behind one kind of result lost.
type GraphLoss struct {
	Files []string // of the graphs
	Share float64  // of what they may lose
}

// Losses says what each kind of result lost. A spread of 0 was not measured.
func (c SelfCheck) Losses() []GraphLoss {
	cosine := func(mean, worst float64) float64 {
		return max((1-mean)/(1-leastMeanCosine), (1-worst)/(1-leastWorstCosine))
	}
	match := c.ProbabilityDifference / mostProbabilityDifference
	if c.MatchSpread != 0 {
		match = max(match, c.MarginDifference/max(heldMatchDifference, mostMatchLoss*c.MatchSpread))
	} else {
		match = max(match, c.MatchDifference/mostMatchDifference)
	}
	var caption float64
	if c.CaptionSpread != 0 {
		caption = c.CaptionDifference / max(heldCaptionDifference, mostCaptionLoss*c.CaptionSpread)
	}
	return []GraphLoss{
		{[]string{ImagePartsFile, ImageStatesFile}, cosine(c.MeanCosine, c.WorstCosine)},
		{[]string{TextFile}, cosine(c.TextMeanCosine, c.TextWorstCosine)},
		{[]string{MatchFile}, match},
		{[]string{CaptionStartFile, CaptionStepFile}, caption},
	}
}

// Warnings says, in sentences for the user, what speaks against using this model as it is. There are none for a model in
// float32.
func (m Manifest) Warnings() []string {
	if m.SelfCheck == nil {
		return nil
	}
	check := *m.SelfCheck
	var warnings []string
	pictures := !m.Config.Translates() // which none of its checks is about
	if pictures && !check.Good() {
		among := ""
		if check.MatchSpread > 0 {
			among = fmt.Sprintf(" of a spread of %.1f, probabilities by up to %.3f", check.MatchSpread, check.ProbabilityDifference)
		}
		warnings = append(warnings, fmt.Sprintf("int8 loses too much of this model: match logits differ from fp32 by up to %.3f%s; "+
			"the worst cosines are %.4f of parts and %.4f of texts", check.MatchDifference, among, check.WorstCosine, check.TextWorstCosine))
	}
	if check.Language != nil && !check.Language.Good() {
		warnings = append(warnings, fmt.Sprintf("%s loses too much of this language model: its next-token distributions diverge by %.3f nats from fp32's, "+
			"and its likeliest token is the same in %.0f %% of places", m.Precision, check.Language.Divergence, 100*check.Language.Agreement))
	}
	if speedup := check.Speedup(); pictures && speedup < leastSpeedup {
		warnings = append(warnings, fmt.Sprintf("int8 brings this model no speed on this machine: an image takes %.2f times as long in fp32", speedup))
	}
	return warnings
}

// Speedup is how many times as fast as float32 the model read an image.
func (c SelfCheck) Speedup() float64 { return c.Float32Seconds / c.Int8Seconds }
