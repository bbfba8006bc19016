package embed

import (
	"context"

	"mekiki/embed/manifest"
	"mekiki/embed/pixels"
)

// Capabilities says what a model can do.
type Capabilities = manifest.Capabilities

// Model is what every model says of itself. What it can do are interfaces of their
// own, of which users of models ask for those that they need; Capabilities says
// whether calling one makes sense. All methods are safe for concurrent use.
type Model interface {
	// Space is what the model's vectors may be compared with.
	Space() Space
	// Capabilities says what the model can do.
	Capabilities() Capabilities
}

// TextEmbedder makes unit vectors of texts.
type TextEmbedder interface {
	// TextVectors embeds texts, in their order.
	TextVectors(ctx context.Context, texts []string) ([]Vector, error)
	// TextInfo says how much of a text the model reads.
	TextInfo(text string) TextInfo
}

// ImageEmbedder makes unit vectors of images.
type ImageEmbedder interface {
	// ImageTokens reads images, in their order. Everything else that a model says of an
	// image comes from these.
	ImageTokens(ctx context.Context, images []*pixels.Image) ([]ImageTokens, error)
	// ImageParts embeds images that were read, in their order.
	ImageParts(ctx context.Context, tokens []ImageTokens) ([]Parts, error)
}

// Matcher judges whether images and texts belong together.
type Matcher interface {
	// MatchPairs judges the i-th image against the i-th text.
	MatchPairs(ctx context.Context, tokens []ImageTokens, texts []string) ([]Match, error)
}

// Captioner describes images in words.
type Captioner interface {
	// CaptionImages writes captions of each image, the likeliest first.
	CaptionImages(ctx context.Context, tokens []ImageTokens, options CaptionOptions) ([][]Caption, error)
}

var _ interface {
	Model
	TextEmbedder
	ImageEmbedder
	Matcher
	Captioner
} = (*Engine)(nil)
