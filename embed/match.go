package embed

import (
	"context"
	"fmt"

	"mekiki/embed/blip2"
	"mekiki/embed/ort"
	"mekiki/embed/wordpiece"
)

// Match judges one image against each of texts.
func (e *Engine) Match(ctx context.Context, tokens ImageTokens, texts []string) ([]Match, error) {
	return e.match(ctx, len(texts), func(int) ImageTokens { return tokens }, func(i int) string { return texts[i] })
}

// MatchPairs judges tokens[i] against texts[i]; a single text stands for all.
func (e *Engine) MatchPairs(ctx context.Context, tokens []ImageTokens, texts []string) ([]Match, error) {
	if len(texts) != len(tokens) && len(texts) != 1 {
		return nil, fmt.Errorf("match: %d images and %d texts", len(tokens), len(texts))
	}
	return e.match(ctx, len(tokens), func(i int) ImageTokens { return tokens[i] }, func(i int) string {
		if len(texts) == 1 {
			return texts[0]
		}
		return texts[i]
	})
}

func (e *Engine) match(ctx context.Context, count int, image func(int) ImageTokens, text func(int) string) ([]Match, error) {
	done, err := e.begin()
	if err != nil {
		return nil, err
	}
	defer done()
	graph := e.graphs[blip2.MatchFile]
	session, err := graph.open(ctx, e)
	if err != nil {
		return nil, err
	}
	encodings := map[string]wordpiece.Encoding{}
	for i := range count {
		if _, ok := encodings[text(i)]; !ok {
			encodings[text(i)] = e.encode(text(i))
		}
	}
	results := make([]Match, count)
	err = e.each(ctx, graph, count, func(ctx context.Context, i int) error {
		input, err := e.tokenTensor(image(i))
		if err != nil {
			return fmt.Errorf("pair %d: %w", i, err)
		}
		ids, mask := textTensors(encodings[text(i)])
		var logits [2]float32
		err = session.RunInto(ctx, []ort.Tensor{input, ids, mask}, []ort.Tensor{ort.Float32Tensor(logits[:], 1, 2)})
		results[i] = newMatch(logits[0], logits[1])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	return results, nil
}
