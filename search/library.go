package search

import (
	"context"

	"mekiki/embed"
	"mekiki/embed/pixels"
)

// Engine is what search needs of a model. *embed.Engine is one. All methods
// are safe for concurrent use.
type Engine interface {
	// Space is the space that the engine embeds into.
	Space() embed.Space
	// TextVectors embeds texts.
	TextVectors(ctx context.Context, texts []string) ([]embed.Vector, error)
	// ImageTokens reads pictures.
	ImageTokens(ctx context.Context, images []*pixels.Image) ([]embed.ImageTokens, error)
	// ImageParts embeds pictures that were read.
	ImageParts(ctx context.Context, tokens []embed.ImageTokens) ([]embed.Parts, error)
	// TextInfo says how much of a text the model reads.
	TextInfo(text string) embed.TextInfo
	// MatchPairs matches the i-th picture with the i-th text.
	MatchPairs(ctx context.Context, tokens []embed.ImageTokens, texts []string) ([]embed.Match, error)
}

var _ Engine = (*embed.Engine)(nil)
