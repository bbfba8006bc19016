package quantize

import (
	"context"
	"math"
	"slices"
	"time"

	"mekiki/embed/manifest"
	"mekiki/internal/processor"
)

// Results are what one precision makes of the samples. What a model cannot do has
// none.
type Results struct {
	Width        int           // of the unit vectors
	Parts, Texts [][]float32   // unit vectors of each image and text
	Match        [][]float32   // the two logits of each pair
	Captions     [][]float64   // LogProbabilities of each text
	Time         time.Duration // of the first graph, for one image
}

// check compares the int8 graphs in dir with the float32 ones in the scratch
// folder, each on what its own encoder gives.
func (t *tuner) check(ctx context.Context, dir string, progress encoded) (manifest.SelfCheck, error) {
	t.options.Step("comparing int8 with float32")
	if t.exact == nil {
		exact, err := t.model.Graphs.Results(ctx, t.runIn(t.scratch), progress.exact)
		if err != nil {
			return manifest.SelfCheck{}, err
		}
		t.exact = &exact
	}
	quantized, err := t.model.Graphs.Results(ctx, t.runIn(dir), progress.quantized)
	if err != nil {
		return manifest.SelfCheck{}, err
	}
	check := Compare(*t.exact, quantized)
	check.Images, check.Pairs, check.Instructions = len(progress.exact), len(t.exact.Match), processor.Features()
	check.Float32Seconds = progress.exactSeconds + t.exact.Time.Seconds()
	check.Int8Seconds = progress.quantizedSeconds + quantized.Time.Seconds()
	return check, nil
}

// Compare says what a quantised model's results lose beside the exact ones.
func Compare(exact, quantized Results) manifest.SelfCheck {
	var check manifest.SelfCheck
	check.MeanCosine, check.WorstCosine = cosines(exact.Parts, quantized.Parts, exact.Width)
	check.TextMeanCosine, check.TextWorstCosine = cosines(exact.Texts, quantized.Texts, exact.Width)
	var margins, captions []float64
	for i, logits := range exact.Match {
		for j, value := range logits {
			check.MatchDifference = max(check.MatchDifference, math.Abs(float64(value-quantized.Match[i][j])))
		}
		before, after := margin(logits), margin(quantized.Match[i])
		margins = append(margins, before)
		check.MarginDifference = max(check.MarginDifference, math.Abs(after-before))
		check.ProbabilityDifference = max(check.ProbabilityDifference, math.Abs(sigmoid(after)-sigmoid(before)))
	}
	for i, tokens := range exact.Captions {
		for j, value := range tokens {
			captions = append(captions, value)
			check.CaptionDifference = max(check.CaptionDifference, math.Abs(value-quantized.Captions[i][j]))
		}
	}
	check.MatchSpread, check.CaptionSpread = spread(margins), spread(captions)
	return check
}

// margin is a pair's logit for a match less its other one.
func margin(logits []float32) float64 { return float64(logits[1]) - float64(logits[0]) }

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// spread is how far apart the least and the largest value are.
func spread(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return slices.Max(values) - slices.Min(values)
}

// cosines is the mean and the least of the cosines of unit rows.
func cosines(exact, quantized [][]float32, width int) (mean, worst float64) {
	worst = 1
	count := 0
	for i, values := range exact {
		for start := 0; start < len(values); start += width {
			var cosine float64
			for j := start; j < start+width; j++ {
				cosine += float64(values[j]) * float64(quantized[i][j])
			}
			mean += cosine
			if !(cosine >= worst) { // also for NaN
				worst = cosine
			}
			count++
		}
	}
	if count == 0 { // nothing that could lose
		return 1, 1
	}
	return min(1, mean/float64(count)), worst
}

// LogProbabilities is the natural logarithm of the probability of every token of a text but the first, by the
// logits [len(text) V] of the tokens before.
func LogProbabilities(logits []float32, text []int64) []float64 {
	width := len(logits) / len(text)
	chances := make([]float64, len(text)-1)
	for i := range chances {
		row := logits[i*width : (i+1)*width]
		chances[i] = float64(row[text[i+1]]) - logSum(row)
	}
	return chances
}
