package modelconfig

import (
	"errors"
	"fmt"
	"slices"
)

// Activations of language models.
const (
	Relu    = "relu"
	GeluNew = "gelu_new" // the approximation with tanh
	Silu    = "silu"
)

// ValidateSizes reports sizes that no language model can have, as Config.ValidateSizes does.
func (l Language) ValidateSizes() error {
	var problems []error
	check := func(name string, value, least, most int) {
		if value < least || value > most {
			problems = append(problems, fmt.Errorf("the language model's %s is %d; it must lie between %d and %d", name, value, least, most))
		}
	}
	check("hidden size", l.HiddenSize, 1, 1<<16)
	check("number of layers", l.Layers, 1, 1<<10)
	check("number of heads", l.Heads, 1, 1<<10)
	check("number of heads with keys of their own", l.KeyValueHeads, 1, 1<<10)
	check("width of a head", l.HeadWidth, 1, 1<<12)
	check("intermediate size", l.IntermediateSize, 1, 1<<18)
	check("vocabulary's size", l.VocabularySize, 1, 1<<20)
	check("number of words that may be written", l.Words, 1, l.VocabularySize)
	least := 1
	if l.Architecture == T5 {
		check("number of decoder layers", l.DecoderLayers, 1, 1<<10)
		check("number of relative buckets", l.RelativeBuckets, 4, 1<<12)
		check("greatest relative distance", l.RelativeDistance, l.RelativeBuckets/2+1, 1<<20)
		least = 0
	}
	if l.Architecture == Marian {
		check("number of decoder layers", l.DecoderLayers, 1, 1<<10)
		check("decoder's intermediate size", l.DecoderIntermediateSize, 1, 1<<18)
		check("number of beams", l.Beams, 0, 64)
	}
	check("number of positions", l.Positions, least, 1<<24)
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	return errors.Join(l.validateRatios(), l.validateTokens())
}

func (l Language) validateRatios() error {
	var problems []error
	if l.Heads%l.KeyValueHeads != 0 {
		problems = append(problems, fmt.Errorf("the language model's %d heads are not a multiple of its %d heads with keys of their own",
			l.Heads, l.KeyValueHeads))
	}
	activations := map[string][]string{OPT: {Relu}, T5: {Relu, Gelu, GeluNew, Silu}, Llama: {Silu}, Marian: {Relu, Gelu, Silu}}[l.Architecture]
	if activations == nil {
		return fmt.Errorf("the language model's architecture is %q; %s, %s, %s and %s are supported", l.Architecture, OPT, T5, Llama, Marian)
	}
	if !slices.Contains(activations, l.Activation) {
		problems = append(problems, fmt.Errorf("the language model's activation is %q; of %s %q are supported", l.Activation, l.Architecture, activations))
	}
	if (l.Architecture == OPT || l.Architecture == Marian) && l.HiddenSize != l.Heads*l.HeadWidth {
		problems = append(problems, fmt.Errorf("the language model's hidden size %d is not that of %d heads of %d", l.HiddenSize, l.Heads, l.HeadWidth))
	}
	if l.Architecture == Llama && l.HeadWidth%2 != 0 {
		problems = append(problems, fmt.Errorf("the language model's heads are %d wide; rotary positions need an even width", l.HeadWidth))
	}
	return errors.Join(problems...)
}

// ValidateTokens checks the ids of tokens that mean something.
func (l Language) validateTokens() error {
	const most = 16
	if len(l.End) == 0 || len(l.End) > most {
		return fmt.Errorf("the language model has %d tokens that end a text; it must have 1 to %d", len(l.End), most)
	}
	for _, id := range l.End {
		if id < 0 || id >= int64(l.Words) {
			return fmt.Errorf("the token %d, which ends a text, is not one of the %d that may be written", id, l.Words)
		}
	}
	if l.Start < 0 || l.Start >= int64(l.VocabularySize) {
		return fmt.Errorf("the token %d, which the decoder starts with, is not one of the vocabulary's %d", l.Start, l.VocabularySize)
	}
	return nil
}

// ValidateNumbers checks the settings that are not sizes.
func (l Language) ValidateNumbers() error {
	if !(l.NormEpsilon > 0 && l.NormEpsilon < 1) {
		return fmt.Errorf("the language model's normalisation has the epsilon %g; it must lie between 0 and 1", l.NormEpsilon)
	}
	if l.Architecture == Llama && !(l.RotaryTheta > 1 && l.RotaryTheta < 1e12) {
		return fmt.Errorf("the language model's rotary base is %g; it must lie between 1 and 1e12", l.RotaryTheta)
	}
	return nil
}
