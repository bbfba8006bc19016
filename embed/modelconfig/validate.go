package modelconfig

import (
	"errors"
	"fmt"
	"math"
)

// Validate reports everything in a configuration that no model can have.
func (c Config) Validate() error {
	return errors.Join(c.ValidateSizes(), c.validateNumbers())
}

// ValidateSizes reports sizes that no model can have: far above any published one, or such that sizes computed from them
// could overflow or do not divide as they must.
func (c Config) ValidateSizes() error {
	if c.Translates() {
		return c.Language.ValidateSizes()
	}
	var problems []error
	check := func(name string, value, most int) {
		if value < 1 || value > most {
			problems = append(problems, fmt.Errorf("%s is %d; it must lie between 1 and %d", name, value, most))
		}
	}
	check("the vision encoder's hidden size", c.Vision.HiddenSize, 1<<16)
	check("the vision encoder's number of layers", c.Vision.Layers, 1<<10)
	check("the vision encoder's number of heads", c.Vision.Heads, 1<<10)
	check("the vision encoder's intermediate size", c.Vision.IntermediateSize, 1<<18)
	check("the image size", c.Vision.ImageSize, 1<<12)
	check("the patch size", c.Vision.PatchSize, 1<<10)
	if c.Vision.Merged != 0 {
		check("the number of tokens merged in each layer", c.Vision.Merged, max(1, c.Vision.Tokens()/2))
	}
	check("the Q-Former's hidden size", c.QFormer.HiddenSize, 1<<16)
	check("the Q-Former's number of layers", c.QFormer.Layers, 1<<10)
	check("the Q-Former's number of heads", c.QFormer.Heads, 1<<10)
	check("the Q-Former's intermediate size", c.QFormer.IntermediateSize, 1<<18)
	if c.QFormerReadsText() {
		check("the vocabulary's size", c.QFormer.VocabularySize, 1<<20)
		check("the number of text positions", c.QFormer.MaxPositions, 1<<16)
	}
	check("the cross-attention frequency", c.QFormer.CrossAttentionFrequency, 1<<10)
	check("the number of query tokens", c.QueryTokens, 1<<12)
	if c.Language == nil {
		check("the projection's size", c.ProjectionSize, 1<<16)
	} else if err := c.Language.ValidateSizes(); err != nil {
		problems = append(problems, err)
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	if c.Vision.Activation != Gelu && c.Vision.Activation != QuickGelu {
		problems = append(problems, fmt.Errorf("the vision encoder's activation is %q; %q and %q are supported", c.Vision.Activation, Gelu, QuickGelu))
	}
	return errors.Join(append(problems, c.validateRatios())...)
}

// validateRatios checks the sizes that must divide each other.
func (c Config) validateRatios() error {
	var problems []error
	if c.Vision.HiddenSize%c.Vision.Heads != 0 {
		problems = append(problems, fmt.Errorf("the vision encoder's hidden size %d is not a multiple of its %d heads",
			c.Vision.HiddenSize, c.Vision.Heads))
	}
	if c.QFormer.HiddenSize%c.QFormer.Heads != 0 {
		problems = append(problems, fmt.Errorf("the Q-Former's hidden size %d is not a multiple of its %d heads",
			c.QFormer.HiddenSize, c.QFormer.Heads))
	}
	if c.Vision.ImageSize < c.Vision.PatchSize {
		problems = append(problems, fmt.Errorf("the image size %d is smaller than the patch size %d",
			c.Vision.ImageSize, c.Vision.PatchSize))
	}
	const largestGrid = 512
	if grid := c.Vision.ImageSize / c.Vision.PatchSize; grid > largestGrid {
		problems = append(problems, fmt.Errorf("the image has %d by %d patches; at most %d by %d are supported",
			grid, grid, largestGrid, largestGrid))
	}
	return errors.Join(problems...)
}

// validateNumbers checks the settings that are not sizes.
func (c Config) validateNumbers() error {
	if c.Translates() {
		return c.Language.ValidateNumbers()
	}
	var problems []error
	for _, epsilon := range []float64{c.Vision.LayerNormEpsilon, c.Vision.FinalLayerNormEpsilon, c.QFormer.LayerNormEpsilon} {
		if !(epsilon > 0 && epsilon < 1) {
			problems = append(problems, fmt.Errorf("the layer normalisation's epsilon is %g; it must lie between 0 and 1", epsilon))
			break
		}
	}
	for channel := range 3 {
		mean, deviation := float64(c.Preprocess.Mean[channel]), float64(c.Preprocess.StandardDeviation[channel])
		if math.IsNaN(mean) || math.IsInf(mean, 0) || !(deviation > 0) || math.IsInf(deviation, 0) {
			problems = append(problems, fmt.Errorf("image_mean %v and image_std %v cannot normalise pixels",
				c.Preprocess.Mean, c.Preprocess.StandardDeviation))
			break
		}
	}
	if c.Language != nil {
		problems = append(problems, c.Language.ValidateNumbers())
	}
	if !(c.Preprocess.RescaleFactor > 0 && c.Preprocess.RescaleFactor <= 1) {
		problems = append(problems, fmt.Errorf("rescale_factor is %g; it must lie between 0 and 1", c.Preprocess.RescaleFactor))
	}
	return errors.Join(problems...)
}
