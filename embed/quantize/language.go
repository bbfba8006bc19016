package quantize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"mekiki/embed/manifest"
	"mekiki/internal/processor"
)

// LanguageModel is what an architecture hands over of a language model.
type LanguageModel struct {
	Weights Weights
	// Chains are its graphs, each beginning with what the one before left in the states. The stream of the last one ends
	// as logits [1 T V].
	Chains []Chain
	// Samples are the states to begin with.
	Samples []State
	// Judged is, for each sample, the first position whose logits count: what is predicted inside of an image means nothing.
	Judged []int
	// Four says that products may be stored in 4 bits.
	Four bool
}

// WriteLanguage writes a language model quantised into the folder dir, choosing product by product, one layer's weights
// in memory at a time. If its next-token distributions differ too much from float32's, the products that lose most are
// chosen again with narrower limits. Result.Check has what concerns the language model only.
func WriteLanguage(ctx context.Context, model LanguageModel, dir string, options Options) (Result, error) {
	scratch, err := os.MkdirTemp(dir, "scratch-")
	if err != nil {
		return Result{}, err
	}
	t := &tuner{options: options, scratch: scratch, source: newRecent(model.Weights), ports: map[string]ports{},
		encoder: newChoices(), choosing: languageSamples, language: true, four: model.Four}
	result, err := t.tuneLanguage(ctx, model, dir)
	return result, errors.Join(err, os.RemoveAll(scratch))
}

func (t *tuner) tuneLanguage(ctx context.Context, model LanguageModel, dir string) (Result, error) {
	for {
		var result Result
		progress := newProgress(model.Samples)
		for _, chain := range model.Chains {
			files, err := t.writeChain(ctx, dir, chain, progress)
			if err != nil {
				return Result{}, err
			}
			result.Files = append(result.Files, files...)
		}
		check := compareLogits(progress, model.Judged)
		result.Choices, result.Check = t.encoder.list(), manifest.SelfCheck{Language: &check, Instructions: processor.Features()}
		t.options.Logger.Info("compared next-token distributions with float32", "divergence", check.Divergence, "agreement", check.Agreement,
			"positions", check.Positions)
		if check.Good() {
			return result, nil
		}
		again := t.encoder.tighten(func(Product) bool { return true })
		if again == 0 {
			return result, nil
		}
		t.options.Step(fmt.Sprintf("choosing %d products again", again))
	}
}

// compareLogits compares the next-token distributions of quantised states with those of the exact ones.
func compareLogits(progress *progress, judged []int) manifest.LanguageCheck {
	var check manifest.LanguageCheck
	agreeing := 0
	for i, exact := range progress.exact {
		shape := exact[StreamName].Shape()
		width := int(shape[len(shape)-1])
		for at := judged[i] * width; at < len(exact[StreamName].Float32()); at += width {
			before, after := exact[StreamName].Float32()[at:at+width], progress.quantized[i][StreamName].Float32()[at:at+width]
			divergence := Divergence(before, after)
			check.Positions++
			check.Divergence += divergence
			if !(divergence <= check.WorstDivergence) { // also for NaN
				check.WorstDivergence = divergence
			}
			if largest(before) == largest(after) {
				agreeing++
			}
		}
	}
	check.Divergence /= float64(max(1, check.Positions))
	check.Agreement = float64(agreeing) / float64(max(1, check.Positions))
	return check
}

func largest(values []float32) int { return slices.Index(values, slices.Max(values)) }

// Divergence is the Kullback-Leibler divergence, in nats, of the distribution of logits after from that of logits before.
func Divergence(before, after []float32) float64 {
	first, second := logSum(before), logSum(after)
	var divergence float64
	for i, value := range before {
		own, other := float64(value)-first, float64(after[i])-second
		divergence += math.Exp(own) * (own - other)
	}
	return divergence
}

// logSum is the logarithm of the sum of the exponentials of logits.
func logSum(logits []float32) float64 {
	top := float64(slices.Max(logits))
	var sum float64
	for _, value := range logits {
		sum += math.Exp(float64(value) - top)
	}
	return top + math.Log(sum)
}
