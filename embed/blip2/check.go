package blip2

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"mekiki/embed/ort"
	"mekiki/internal/processor"
)

// What an int8 model must keep of its float32 form, as performance targets
// ask: cosines of the parts and of the text vectors.
const (
	leastMeanCosine  = 0.998
	leastWorstCosine = 0.99
)

// good reports whether the int8 model may be used as it is.
func (c SelfCheck) good() bool {
	return c.MeanCosine >= leastMeanCosine && c.WorstCosine >= leastWorstCosine &&
		c.TextMeanCosine >= leastMeanCosine && c.TextWorstCosine >= leastWorstCosine
}

// outcome is what one precision makes of the samples.
type outcome struct {
	parts, texts, match [][]float32
	seconds             float64 // of the image transformer, for one image
}

// check compares the int8 graphs in dir with the float32 ones in the scratch
// folder, each on its own image tokens.
func (t *tuner) check(ctx context.Context, dir string, vision visionRun) (SelfCheck, error) {
	t.step("comparing int8 with float32")
	exact, err := t.outcome(ctx, t.scratch, vision.exact)
	if err != nil {
		return SelfCheck{}, err
	}
	quantized, err := t.outcome(ctx, dir, vision.quantized)
	if err != nil {
		return SelfCheck{}, err
	}
	check := SelfCheck{Images: len(vision.exact), Pairs: len(exact.match),
		Float32Seconds: vision.exactSeconds + exact.seconds, Int8Seconds: vision.quantizedSeconds + quantized.seconds,
		Instructions: processor.Features()}
	width := t.config.ProjectionSize
	check.MeanCosine, check.WorstCosine = cosines(exact.parts, quantized.parts, width)
	check.TextMeanCosine, check.TextWorstCosine = cosines(exact.texts, quantized.texts, width)
	for i, logits := range exact.match {
		for j, value := range logits {
			check.MatchDifference = max(check.MatchDifference, math.Abs(float64(value-quantized.match[i][j])))
		}
	}
	return check, nil
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

// outcome runs the image, text and match graphs in a folder.
func (t *tuner) outcome(ctx context.Context, dir string, tokens []ort.Tensor) (outcome, error) {
	var result outcome
	each := func(file string, count int, inputs func(i int) []ort.Tensor) (values [][]float32, seconds float64, err error) {
		var least time.Duration
		// Only the image transformer is timed; for the others copies of the weights in
		// the kernels' layout are not worth their memory.
		opening := ort.SessionOptions{Path: filepath.Join(dir, file), NoPrepack: dir == t.scratch && file != ImagePartsFile}
		all := func(string) bool { return true }
		err = t.openFor(ctx, opening, all, func(run func(...ort.Tensor) ([]ort.Tensor, error)) error {
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
	var err error
	result.parts, result.seconds, err = each(ImagePartsFile, len(tokens), func(i int) []ort.Tensor { return tokens[i : i+1] })
	if err != nil {
		return result, err
	}
	texts := len(t.samples.texts)
	result.texts, _, err = each(TextFile, texts, func(i int) []ort.Tensor {
		ids, mask := textTensors(t.samples.texts[i])
		return []ort.Tensor{ids, mask}
	})
	if err != nil {
		return result, err
	}
	result.match, _, err = each(MatchFile, texts, func(i int) []ort.Tensor {
		ids, mask := textTensors(t.samples.texts[i])
		return []ort.Tensor{tokens[i%len(tokens)], ids, mask}
	})
	return result, err
}
