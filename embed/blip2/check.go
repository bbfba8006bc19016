package blip2

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"mekiki/embed/ort"
	"mekiki/internal/processor"
)

// What an int8 model must keep of its float32 form.
const (
	// Cosines of the parts and of the text vectors, as the performance targets ask.
	leastMeanCosine  = 0.998
	leastWorstCosine = 0.99
	// mostMatchLoss is how far a pair's margin, its logit for a match less its other one, may move, as a share of how far
	// apart the margins of the sample pairs lie: one in twenty leaves the order of pairs that differ. Models of random
	// weights lose 1 to 3 %.
	mostMatchLoss = 0.05
	// heldMatchDifference is a change of the margin that is always allowed: it moves a probability by 0.0125 at most.
	// Without it, a model whose logits hardly depend on the pair would fail by the noise of its rounding.
	heldMatchDifference = 0.05
	// mostMatchDifference is how far a logit may move in a model of an earlier version, whose spread was not measured: a
	// twentieth of the spread that the built-in model has, about.
	mostMatchDifference = 1
	// mostProbabilityDifference is how far a pair's probability of matching may move.
	mostProbabilityDifference = 0.1
	// mostCaptionLoss and heldCaptionDifference are the same for the log-probability of a caption's next token, of which
	// unlikely tokens decide nothing.
	mostCaptionLoss       = 0.1
	heldCaptionDifference = 0.1
)

// loss is the largest of what was lost, each as a share of what may be: more than 1, or NaN, is too much.
func (c SelfCheck) loss() float64 {
	var largest float64
	for _, loss := range c.losses() {
		largest = max(largest, loss.value)
	}
	return largest
}

// good reports whether the int8 model may be used as it is.
func (c SelfCheck) good() bool { return c.loss() <= 1 }

// graphLoss is what graphs of the Q-Former lost, as a share of what they may.
type graphLoss struct {
	files []string
	value float64
}

// losses says what each kind of result lost. A spread of 0 was not measured.
func (c SelfCheck) losses() []graphLoss {
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
	return []graphLoss{
		{[]string{ImagePartsFile}, cosine(c.MeanCosine, c.WorstCosine)},
		{[]string{TextFile}, cosine(c.TextMeanCosine, c.TextWorstCosine)},
		{[]string{MatchFile}, match},
		{[]string{CaptionStartFile, CaptionStepFile}, caption},
	}
}

// outcome is what one precision makes of the samples.
type outcome struct {
	parts, texts, match [][]float32
	captions            [][]float64 // the log-probability of each next token of each text
	seconds             float64     // of the image transformer, for one image
}

// check compares the int8 graphs in dir with the float32 ones in the scratch
// folder, each on its own image tokens.
func (t *tuner) check(ctx context.Context, dir string, vision visionRun) (SelfCheck, error) {
	t.step("comparing int8 with float32")
	if t.exact == nil {
		exact, err := t.outcome(ctx, t.scratch, vision.exact)
		if err != nil {
			return SelfCheck{}, err
		}
		t.exact = &exact
	}
	quantized, err := t.outcome(ctx, dir, vision.quantized)
	if err != nil {
		return SelfCheck{}, err
	}
	check := t.compare(*t.exact, quantized)
	check.Images, check.Pairs, check.Instructions = len(vision.exact), len(t.exact.match), processor.Features()
	check.Float32Seconds, check.Int8Seconds = vision.exactSeconds+t.exact.seconds, vision.quantizedSeconds+quantized.seconds
	return check, nil
}

// compare says what a quantised model's results lose.
func (t *tuner) compare(exact, quantized outcome) SelfCheck {
	var check SelfCheck
	width := t.config.ProjectionSize
	check.MeanCosine, check.WorstCosine = cosines(exact.parts, quantized.parts, width)
	check.TextMeanCosine, check.TextWorstCosine = cosines(exact.texts, quantized.texts, width)
	var margins, captions []float64
	for i, logits := range exact.match {
		for j, value := range logits {
			check.MatchDifference = max(check.MatchDifference, math.Abs(float64(value-quantized.match[i][j])))
		}
		before, after := margin(logits), margin(quantized.match[i])
		margins = append(margins, before)
		check.MarginDifference = max(check.MarginDifference, math.Abs(after-before))
		check.ProbabilityDifference = max(check.ProbabilityDifference, math.Abs(sigmoid(after)-sigmoid(before)))
	}
	for i, tokens := range exact.captions {
		for j, value := range tokens {
			captions = append(captions, value)
			check.CaptionDifference = max(check.CaptionDifference, math.Abs(value-quantized.captions[i][j]))
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
	return min(1, mean/float64(max(1, count))), worst
}

// outcome runs the image, text, match and caption graphs in a folder.
func (t *tuner) outcome(ctx context.Context, dir string, tokens []ort.Tensor) (outcome, error) {
	var result outcome
	var err error
	result.parts, result.seconds, err = t.results(ctx, dir, ImagePartsFile, len(tokens), func(i int) []ort.Tensor { return tokens[i : i+1] })
	if err != nil {
		return result, err
	}
	texts := len(t.samples.texts)
	result.texts, _, err = t.results(ctx, dir, TextFile, texts, func(i int) []ort.Tensor {
		ids, mask := textTensors(t.samples.texts[i])
		return []ort.Tensor{ids, mask}
	})
	if err != nil {
		return result, err
	}
	// Every text with two images.
	result.match, _, err = t.results(ctx, dir, MatchFile, min(2, len(tokens))*texts, func(i int) []ort.Tensor {
		ids, mask := textTensors(t.samples.texts[i%texts])
		return []ort.Tensor{tokens[(i+i/texts)%len(tokens)], ids, mask}
	})
	if err != nil || !t.captions {
		return result, err
	}
	memory, err := t.captionMemory(ctx, dir, tokens)
	if err != nil {
		return result, err
	}
	logits, _, err := t.results(ctx, dir, CaptionStepFile, texts, func(i int) []ort.Tensor {
		text := t.samples.texts[i]
		return append([]ort.Tensor{ort.Int64Tensor(text, 1, int64(len(text))), positions(len(text))}, memory[i%len(memory)]...)
	})
	for i, values := range logits {
		result.captions = append(result.captions, nextTokens(values, t.samples.texts[i]))
	}
	return result, err
}

// results runs a graph count times and returns its result each time, and the least time of a run.
func (t *tuner) results(ctx context.Context, dir, file string, count int, inputs func(i int) []ort.Tensor) (values [][]float32, seconds float64, err error) {
	var least time.Duration
	// Only the image transformer is timed; for the others copies of the weights in
	// the kernels' layout are not worth their memory.
	opening := ort.SessionOptions{Path: filepath.Join(dir, file), NoPrepack: dir == t.scratch && file != ImagePartsFile}
	wanted := func(output string) bool { return file != CaptionStepFile || output == LogitsName }
	err = t.openFor(ctx, opening, wanted, func(run func(...ort.Tensor) ([]ort.Tensor, error)) error {
		for i := range count {
			start := time.Now()
			outputs, err := run(inputs(i)...)
			if err != nil {
				return err
			}
			if took := time.Since(start); i == 0 || took < least {
				least = took
			}
			values = append(values, outputs[0].Float32())
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("check %s: %w", file, err)
	}
	return values, least.Seconds(), err
}

// nextTokens is the log-probability of every token of a text but the first, by the logits of the tokens before.
func nextTokens(logits []float32, text []int64) []float64 {
	width := len(logits) / len(text)
	chances := make([]float64, len(text)-1)
	for i := range chances {
		row := logits[i*width : (i+1)*width]
		largest := float64(slices.Max(row))
		var sum float64
		for _, value := range row {
			sum += math.Exp(float64(value) - largest)
		}
		chances[i] = float64(row[text[i+1]]) - largest - math.Log(sum)
	}
	return chances
}
