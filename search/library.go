package search

import "mekiki/embed"

// Engine is what search needs of a model; *embed.Engine is one. Where it cannot
// match, MatchPairs is not called: vectors and words rank alone.
type Engine interface {
	embed.Model
	embed.TextEmbedder
	embed.ImageEmbedder
	embed.Matcher
}

var _ Engine = (*embed.Engine)(nil)
