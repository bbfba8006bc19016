package search

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/keyword"
	"mekiki/search/scoring"
	"mekiki/search/words"
)

// worldEngine is the model of a world.
type worldEngine struct{ *world }

func (e worldEngine) Space() embed.Space { return e.space }

func (e worldEngine) Capabilities() embed.Capabilities {
	return embed.Capabilities{EmbedImages: true, EmbedTexts: true, Match: !e.matchless}
}

func (e worldEngine) TextInfo(text string) embed.TextInfo {
	words := len(strings.Fields(text))
	return embed.TextInfo{Tokens: min(words, 30), Truncated: words > 30, Dropped: max(words-30, 0)}
}

func (e worldEngine) TextVectors(ctx context.Context, texts []string) ([]embed.Vector, error) {
	e.textCalls.Add(int64(len(texts)))
	vectors := make([]embed.Vector, len(texts))
	for i, text := range texts {
		vectors[i] = textDirection(text)
	}
	return vectors, ctx.Err()
}

// ImageTokens reads an image whose first pixel is the number of a record.
func (e worldEngine) ImageTokens(ctx context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	tokens := make([]embed.ImageTokens, len(images))
	for i, image := range images {
		tokens[i] = embed.ImageTokens{Rows: 1, Columns: 1, Values: []float32{float32(image.Pix[0])}}
	}
	return tokens, ctx.Err()
}

func (e worldEngine) ImageParts(ctx context.Context, tokens []embed.ImageTokens) ([]embed.Parts, error) {
	parts := make([]embed.Parts, len(tokens))
	for i, token := range tokens {
		parts[i] = e.parts[index.ID(token.Values[0])]
	}
	return parts, ctx.Err()
}

// MatchPairs gives a logit from -6 to 6: the share of the text's words that
// the picture has.
func (e worldEngine) MatchPairs(ctx context.Context, tokens []embed.ImageTokens, texts []string) ([]embed.Match, error) {
	matches := make([]embed.Match, len(tokens))
	for i, token := range tokens {
		if e.onMatch != nil {
			e.onMatch()
		}
		if e.matchDelay > 0 {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(e.matchDelay):
			}
		}
		e.matchCalls.Add(1)
		has := map[string]bool{}
		for _, thing := range e.things[index.ID(token.Values[0])] {
			for _, term := range keyword.Terms(thing) {
				has[term] = true
			}
		}
		logit := float32(12*coverage(words.Terms(texts[i]), has) - 6 + e.contrary*opinion(token.Values[0], texts[i]))
		matches[i] = embed.Match{Logits: [2]float32{-logit, logit}, Probability: float32(scoring.Sigmoid(float64(2 * logit)))}
	}
	return matches, ctx.Err()
}

// opinion is a fixed number for a picture and a text, normally distributed.
func opinion(picture float32, text string) float64 {
	hash := fnv.New64a()
	fmt.Fprint(hash, picture, text)
	return rand.New(rand.NewPCG(hash.Sum64(), 3)).NormFloat64()
}
