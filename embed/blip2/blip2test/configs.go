package blip2test

import "mekiki/embed/modelconfig"

// Tiny is a model of odd sizes that shares none with a published one.
func Tiny() modelconfig.Config {
	return modelconfig.Config{
		Name: "tiny", QueryTokens: 5, ProjectionSize: 12,
		Vision: modelconfig.Vision{
			HiddenSize: 24, Layers: 2, Heads: 3, IntermediateSize: 40, ImageSize: 28, PatchSize: 7,
			Activation: "gelu", LayerNormEpsilon: 1e-6, FinalLayerNormEpsilon: 1e-6, PatchBias: true,
		},
		QFormer: modelconfig.QFormer{
			HiddenSize: 20, Layers: 3, Heads: 2, IntermediateSize: 28, VocabularySize: 61, MaxPositions: 24,
			CrossAttentionFrequency: 2, LayerNormEpsilon: 1e-12,
		},
		Preprocess: modelconfig.Preprocess{
			ImageSize: 28, Mean: [3]float32{0.5, 0.4, 0.3}, StandardDeviation: [3]float32{0.2, 0.3, 0.4}, RescaleFactor: 1.0 / 255,
		},
	}
}

// Small has the sizes of the model inside the program.
func Small() modelconfig.Config {
	return modelconfig.Config{
		Name: "small", QueryTokens: 16, ProjectionSize: 256,
		Vision: modelconfig.Vision{
			HiddenSize: 192, Layers: 6, Heads: 3, IntermediateSize: 768, ImageSize: 128, PatchSize: 16,
			Activation: "gelu", LayerNormEpsilon: 1e-6, FinalLayerNormEpsilon: 1e-6, PatchBias: true,
		},
		QFormer: modelconfig.QFormer{
			HiddenSize: 192, Layers: 4, Heads: 4, IntermediateSize: 768, VocabularySize: 10940, MaxPositions: 64,
			CrossAttentionFrequency: 2, LayerNormEpsilon: 1e-12,
		},
		Preprocess: modelconfig.Preprocess{
			ImageSize: 128, Mean: [3]float32{0.5, 0.5, 0.5}, StandardDeviation: [3]float32{0.3, 0.3, 0.3}, RescaleFactor: 1.0 / 255,
		},
	}
}
