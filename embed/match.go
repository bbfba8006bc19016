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
	encodings := make([]wordpiece.Encoding, count)
	known := map[string]wordpiece.Encoding{}
	for i := range count {
		if _, ok := known[text(i)]; !ok {
			known[text(i)] = e.encode(text(i))
		}
		encodings[i] = known[text(i)]
	}
	groups := batches(encodings, batchSize(matchBatch, e.manifest), e.workers(graph))
	results := make([]Match, count)
	err = e.each(ctx, graph, len(groups), func(ctx context.Context, i int) error {
		group := groups[i]
		images, err := e.tokenBatch(group, image)
		if err != nil {
			return err
		}
		ids, mask := textTensors(encodings, group)
		logits := make([]float32, 2*len(group))
		err = session.RunInto(ctx, []ort.Tensor{images, ids, mask}, []ort.Tensor{ort.Float32Tensor(logits, int64(len(group)), 2)})
		for row, at := range group {
			results[at] = newMatch(logits[2*row], logits[2*row+1])
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	return results, nil
}

// tokenBatch presents the image tokens of a group's pairs as a batch. One pair's
// are not copied.
func (e *Engine) tokenBatch(group []int, image func(int) ImageTokens) (ort.Tensor, error) {
	rows, columns := e.tokenShape()
	var values []float32
	for _, i := range group {
		tokens := image(i)
		if err := e.checkTokens(tokens); err != nil {
			return ort.Tensor{}, fmt.Errorf("pair %d: %w", i, err)
		}
		if len(group) == 1 {
			values = tokens.Values
			break
		}
		if values == nil {
			values = make([]float32, 0, len(group)*rows*columns)
		}
		values = append(values, tokens.Values...)
	}
	return ort.Float32Tensor(values, int64(len(group)), int64(rows), int64(columns)), nil
}
