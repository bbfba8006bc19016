package checkpoint

import (
	"fmt"

	"mekiki/embed/modelconfig"
)

// Published second stages, by the names of their repositories.
const (
	FlanT5XL  = "blip2-flan-t5-xl"
	FlanT5XXL = "blip2-flan-t5-xxl"
	OPT27B    = "blip2-opt-2.7b"
	OPT67B    = "blip2-opt-6.7b"
	Vicuna7B  = "instructblip-vicuna-7b"
)

// publishedSecondStage is the sizes of a published second stage for images of this side.
func publishedSecondStage(name string, imageSize int) (modelconfig.Config, error) {
	config := modelconfig.PublishedConfig(imageSize)
	config.Name, config.ProjectionSize = name, 0
	var language modelconfig.Language
	switch name {
	case FlanT5XL:
		language = publishedT5(2048, 32, 5120)
	case FlanT5XXL:
		language = publishedT5(4096, 64, 10240)
	case OPT27B:
		language = publishedOPT(2560)
	case OPT67B:
		language = publishedOPT(4096)
	case Vicuna7B:
		language = modelconfig.Language{Architecture: modelconfig.Llama, HiddenSize: 4096, Layers: 32, Heads: 32, KeyValueHeads: 32, HeadWidth: 128,
			IntermediateSize: 11008, VocabularySize: 32064, Positions: 2048, Activation: modelconfig.Silu, Gated: true, NormEpsilon: 1e-6,
			RotaryTheta: 10000, End: []int64{vicunaEnd, 1}, Words: vicunaWord, Instructed: true}
	default:
		return modelconfig.Config{}, fmt.Errorf("%q is no published second stage", name)
	}
	language.Prompts = modelconfig.PublishedPrompts(language.Instructed, imageSize == modelconfig.CocoImageSize)
	if !language.Instructed {
		config.QFormer.VocabularySize, config.QFormer.MaxPositions = 0, 0
	}
	config.Language = &language
	return config, nil
}

func publishedT5(width, heads, inner int) modelconfig.Language {
	return modelconfig.Language{Architecture: modelconfig.T5, HiddenSize: width, Layers: 24, DecoderLayers: 24, Heads: heads, KeyValueHeads: heads, HeadWidth: 64,
		IntermediateSize: inner, VocabularySize: 32128, Activation: modelconfig.Gelu, Gated: true, NormEpsilon: 1e-6, RelativeBuckets: 32,
		RelativeDistance: 128, End: []int64{1}, Words: t5Words}
}

func publishedOPT(width int) modelconfig.Language {
	return modelconfig.Language{Architecture: modelconfig.OPT, HiddenSize: width, Layers: 32, Heads: 32, KeyValueHeads: 32, HeadWidth: width / 32,
		IntermediateSize: 4 * width, VocabularySize: 50304, Positions: 2048, Activation: modelconfig.Relu, NormEpsilon: 1e-5, Tied: true,
		End: []int64{optNewline}, Words: optWords}
}
