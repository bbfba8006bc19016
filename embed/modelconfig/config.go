package modelconfig

// Config says what a checkpoint contains: the sizes of every part of the model and how pixels are prepared for it.
type Config struct {
	// Name is what the source calls itself: the folder's or the file's base name unless checkpoint.Options.Name says otherwise.
	Name string
	// Vision describes the vision encoder.
	Vision Vision
	// QFormer describes the querying transformer.
	QFormer QFormer
	// QueryTokens is the number of learned queries, and so of parts of an image (32 in the published models).
	QueryTokens int
	// ProjectionSize is the width of the shared image-text space (256 in the published models); 0 of a second stage.
	ProjectionSize int
	// Preprocess describes how an image becomes pixels for the vision encoder.
	Preprocess Preprocess
	// Language describes the language model of a second stage, or the whole of a model that translates; nil for a first stage.
	Language *Language `json:",omitempty"`
}

// Translates reports whether the model is one that translates, which has neither a vision encoder nor a Q-Former.
func (c Config) Translates() bool { return c.Language != nil && c.Language.Architecture == Marian }

// QFormerReadsText reports whether the Q-Former has a half for texts: in a first stage, and in a second stage where it
// reads the prompt.
func (c Config) QFormerReadsText() bool { return c.Language == nil || c.Language.Instructed }

// Vision describes a vision transformer.
type Vision struct {
	HiddenSize       int
	Layers           int
	Heads            int
	IntermediateSize int
	// ImageSize is the side of the square input in pixels, a multiple of PatchSize.
	ImageSize int
	PatchSize int
	// Activation is Gelu or QuickGelu.
	Activation string
	// LayerNormEpsilon is used by every normalisation but the last.
	LayerNormEpsilon float64
	// FinalLayerNormEpsilon is used by post_layernorm: LAVIS takes 1e-5 where Hugging Face takes LayerNormEpsilon.
	FinalLayerNormEpsilon float64
	// PreLayerNorm is set when pre_layernorm follows the position embedding (CLIP's ViT-L).
	PreLayerNorm bool
	// PatchBias is set when the patch convolution has a bias (EVA's ViT-g).
	PatchBias bool
	// Merged is how many tokens are merged into others after the attention of each layer (token merging, arXiv 2210.09461);
	// 0 for none. No checkpoint has it: a model is compiled so.
	Merged int `json:",omitempty"`
}

// Activations of a vision transformer.
const (
	Gelu      = "gelu"       // the exact form, with erf
	QuickGelu = "quick_gelu" // x times the sigmoid of 1.702 x
)

// Tokens returns the number of image tokens that the encoder gives: one for each patch, and the class token. Patches whose
// tokens were merged have the same one.
func (v Vision) Tokens() int {
	if v.PatchSize <= 0 {
		return 0
	}
	grid := v.ImageSize / v.PatchSize
	return grid*grid + 1
}

// LayerTokens returns the number of tokens that a layer, counted from 0, reads; that of Layers is what the last one gives.
// Where tokens are merged there are fewer from layer to layer, at the most half of the patches in each.
func (v Vision) LayerTokens(layer int) int {
	tokens := v.Tokens()
	for range layer {
		tokens -= v.MergedOf(tokens)
	}
	return tokens
}

// MergedOf is how many of so many tokens a layer merges into others.
func (v Vision) MergedOf(tokens int) int { return max(0, min(v.Merged, (tokens-1)/2)) }

// QFormer describes the querying transformer: a BERT whose layers hold cross-attention to the image tokens at every
// CrossAttentionFrequency-th layer, beginning with the first.
type QFormer struct {
	HiddenSize       int
	Layers           int
	Heads            int
	IntermediateSize int
	// VocabularySize is the number of rows of the word embedding, with [DEC] (30523 in the published models); 0 where the
	// Q-Former reads no text.
	VocabularySize int
	// MaxPositions is the longest text in tokens; 0 where the Q-Former reads no text.
	MaxPositions            int
	CrossAttentionFrequency int
	LayerNormEpsilon        float64
}

// CrossAttends reports whether the given layer attends to the image tokens.
func (q QFormer) CrossAttends(layer int) bool {
	return q.CrossAttentionFrequency > 0 && layer%q.CrossAttentionFrequency == 0
}

// Preprocess says how an RGB image becomes the vision encoder's input: resized to a square, scaled, normalised.
type Preprocess struct {
	// ImageSize is the side of the square in pixels; it equals Vision.ImageSize.
	ImageSize int
	// Mean and StandardDeviation are given for values in 0..1, in the order red, green, blue.
	Mean, StandardDeviation [3]float32
	// RescaleFactor takes 8-bit values to 0..1.
	RescaleFactor float64
}
