package language

import (
	"fmt"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort"
)

// Data files of the graphs. That of the projection is the caller's.
const (
	EncodeData = "language_encode.bin"
	StepData   = "language_step.bin"
)

// DataOf is the data file of a graph.
func DataOf(graph string) string {
	if graph == manifest.LanguageEncodeFile {
		return EncodeData
	}
	return StepData
}

// typicalPrompt is the positions of a prompt that estimates of work assume.
const typicalPrompt = 44

// Signatures describes the graphs of a language model itself.
func Signatures(config modelconfig.Language) []manifest.Signature {
	width := int64(config.HiddenSize)
	embeddings := ort.Value{Name: manifest.EmbeddingsName, Type: ort.Float32, Shape: []int64{-1, -1, width}}
	buckets := ort.Value{Name: manifest.BucketsName, Type: ort.Int64, Shape: []int64{-1, -1}}
	step := manifest.Signature{
		File: manifest.LanguageStepFile, Data: StepData, Work: stepWork(config),
		Inputs: []ort.Value{embeddings,
			{Name: manifest.LastPositionName, Type: ort.Int32, Shape: []int64{-1}},
			{Name: manifest.TotalLengthName, Type: ort.Int32, Shape: []int64{1}}},
		Outputs: []ort.Value{{Name: manifest.LogitsName, Type: ort.Float32, Shape: []int64{-1, int64(config.VocabularySize)}}},
	}
	var list []manifest.Signature
	if HasEncoder(config) {
		encoded := memories(manifest.EncodedKeyPrefix, manifest.EncodedValuePrefix, config, config.Heads)
		list = append(list, manifest.Signature{File: manifest.LanguageEncodeFile, Data: EncodeData, Work: encodeWork(config),
			Inputs: []ort.Value{embeddings}, Outputs: encoded})
		if HasBuckets(config) {
			list[0].Inputs, step.Inputs = append(list[0].Inputs, buckets), append(step.Inputs, buckets)
		}
		step.Inputs = append(step.Inputs, encoded...)
	}
	step.Inputs = append(step.Inputs, memories(manifest.PastKeyPrefix, manifest.PastValuePrefix, config, config.KeyValueHeads)...)
	step.Outputs = append(step.Outputs, memories(manifest.PresentKeyPrefix, manifest.PresentValuePrefix, config, config.KeyValueHeads)...)
	return append(list, step)
}

// StepLayers is the number of layers that keep keys and values: of a model with an encoder its decoder's.
func StepLayers(config modelconfig.Language) int {
	if HasEncoder(config) {
		return config.DecoderLayers
	}
	return config.Layers
}

// memories are a key and a value for each layer, layer after layer.
func memories(key, value string, config modelconfig.Language, heads int) []ort.Value {
	var list []ort.Value
	for layer := range StepLayers(config) {
		shape := []int64{-1, int64(heads), -1, int64(config.HeadWidth)}
		list = append(list,
			ort.Value{Name: fmt.Sprint(key, layer), Type: ort.Float32, Shape: shape},
			ort.Value{Name: fmt.Sprint(value, layer), Type: ort.Float32, Shape: shape})
	}
	return list
}

// stepWork is the multiply-adds of a token.
func stepWork(config modelconfig.Language) float64 {
	width, inner := float64(config.HiddenSize), float64(config.Heads*config.HeadWidth)
	shared := float64(config.KeyValueHeads * config.HeadWidth)
	layer := width*(2*inner+2*shared) + feedForwardWork(config)
	if HasEncoder(config) {
		layer += 2 * width * inner
	}
	return float64(StepLayers(config))*layer + width*float64(config.VocabularySize)
}

// encodeWork is the multiply-adds of a prompt in an encoder.
func encodeWork(config modelconfig.Language) float64 {
	width, inner := float64(config.HiddenSize), float64(config.Heads*config.HeadWidth)
	own := float64(config.Layers) * (4*width*inner + feedForwardWork(config))
	return typicalPrompt * (own + float64(config.DecoderLayers)*2*width*inner)
}

// feedForwardWork is the multiply-adds of a position in a feed-forward block.
func feedForwardWork(config modelconfig.Language) float64 {
	products := 2
	if config.Gated {
		products = 3
	}
	return float64(products) * float64(config.HiddenSize) * float64(config.IntermediateSize)
}

// Check reports what the graphs cannot compute of a language model.
func Check(config modelconfig.Language) error {
	multiple := 8 // as ONNX Runtime's attention with a buffer wants it
	switch config.Architecture {
	case modelconfig.OPT, modelconfig.T5, modelconfig.Marian:
	case modelconfig.Llama:
		multiple = 16
	default:
		return fmt.Errorf("no graph is known for a language model of architecture %q", config.Architecture)
	}
	if config.HeadWidth < 1 || config.HeadWidth%multiple != 0 {
		return fmt.Errorf("heads of a language model of architecture %s must be a multiple of %d wide, not %d", config.Architecture, multiple, config.HeadWidth)
	}
	if config.KeyValueHeads < 1 || config.Heads%config.KeyValueHeads != 0 {
		return fmt.Errorf("%d heads with keys and values do not divide %d heads", config.KeyValueHeads, config.Heads)
	}
	if config.Architecture == modelconfig.T5 && (config.KeyValueHeads != config.Heads || config.RelativeBuckets < 4 || config.RelativeDistance <= config.RelativeBuckets/2) {
		return fmt.Errorf("T5 cannot have %d buckets up to a distance of %d, or fewer heads with keys and values than heads", config.RelativeBuckets, config.RelativeDistance)
	}
	return nil
}
