package client

import (
	"context"
	"math"
	"strings"

	"mekiki/embed"
	"mekiki/embed/pixels"
)

// colours stands in for a model: it knows the mean colour of an image and three
// words. Everything else in the test is the real thing.
type colours struct{}

func (colours) Space() embed.Space { return embed.Space{Fingerprint: "colours", Parts: 1, Width: 3} }

func (colours) ImageTokens(_ context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	tokens := make([]embed.ImageTokens, len(images))
	for i, picture := range images {
		values := make([]float32, 3)
		for at, value := range picture.Pix {
			values[at%3] += float32(value)
		}
		tokens[i] = embed.ImageTokens{Rows: 1, Columns: 3, Values: unit(values)}
	}
	return tokens, nil
}

func (colours) ImageParts(_ context.Context, tokens []embed.ImageTokens) ([]embed.Parts, error) {
	parts := make([]embed.Parts, len(tokens))
	for i, each := range tokens {
		parts[i] = embed.Parts{Count: 1, Width: 3, Values: unit(each.Values)}
	}
	return parts, nil
}

func (colours) TextVectors(_ context.Context, texts []string) ([]embed.Vector, error) {
	vectors := make([]embed.Vector, len(texts))
	for i, text := range texts {
		values := []float32{0.01, 0.01, 0.01}
		for at, word := range []string{"red", "green", "blue"} {
			if strings.Contains(text, word) {
				values[at] = 1
			}
		}
		vectors[i] = unit(values)
	}
	return vectors, nil
}

func (c colours) Match(ctx context.Context, tokens embed.ImageTokens, texts []string) ([]embed.Match, error) {
	images := make([]embed.ImageTokens, len(texts))
	for i := range images {
		images[i] = tokens
	}
	return c.MatchPairs(ctx, images, texts)
}

func (c colours) MatchPairs(ctx context.Context, tokens []embed.ImageTokens, texts []string) ([]embed.Match, error) {
	vectors, err := c.TextVectors(ctx, texts)
	if err != nil {
		return nil, err
	}
	matches := make([]embed.Match, len(texts))
	for i, vector := range vectors {
		var cosine float32
		for at, value := range unit(tokens[i].Values) {
			cosine += value * vector[at]
		}
		logit := 20*cosine - 14
		matches[i] = embed.Match{Logits: [2]float32{0, logit}, Probability: float32(1 / (1 + math.Exp(-float64(logit))))}
	}
	return matches, nil
}

func (colours) TextInfo(text string) embed.TextInfo {
	return embed.TextInfo{Tokens: len(strings.Fields(text))}
}

func (colours) Capabilities() embed.Capabilities {
	return embed.Capabilities{EmbedImages: true, EmbedTexts: true, Match: true}
}

func (colours) CaptionImages(_ context.Context, tokens []embed.ImageTokens, _ embed.CaptionOptions) ([][]embed.Caption, error) {
	return make([][]embed.Caption, len(tokens)), nil
}

func unit(values []float32) []float32 {
	var sum float64
	for _, value := range values {
		sum += float64(value) * float64(value)
	}
	scaled := make([]float32, len(values))
	for i, value := range values {
		scaled[i] = value / float32(math.Sqrt(sum))
	}
	return scaled
}
