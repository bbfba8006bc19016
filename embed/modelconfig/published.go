package modelconfig

// PublishedConfig is the sizes of the published models with the ViT-g vision
// encoder for this image size: 224, or 364 for the ones tuned on COCO.
func PublishedConfig(imageSize int) Config {
	return Config{
		Name: "blip2-vit-g",
		Vision: Vision{HiddenSize: 1408, Layers: 39, Heads: 16, IntermediateSize: 6144,
			ImageSize: imageSize, PatchSize: 14, Activation: Gelu,
			LayerNormEpsilon: 1e-6, FinalLayerNormEpsilon: 1e-6, PatchBias: true},
		QFormer: QFormer{HiddenSize: 768, Layers: 12, Heads: 12, IntermediateSize: 3072,
			VocabularySize: 30523, MaxPositions: 512, CrossAttentionFrequency: 2, LayerNormEpsilon: 1e-12},
		QueryTokens:    32,
		ProjectionSize: 256,
		Preprocess: Preprocess{ImageSize: imageSize, RescaleFactor: 1. / 255,
			Mean:              [3]float32{0.48145466, 0.4578275, 0.40821073},
			StandardDeviation: [3]float32{0.26862954, 0.26130258, 0.27577711}},
	}
}
