package embed

import (
	"context"
	"fmt"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/runner"
	"mekiki/embed/tokenize"
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
	done, err := e.model.Begin()
	if err != nil {
		return nil, err
	}
	defer done()
	if !e.model.Capabilities().Match {
		return nil, fmt.Errorf("match: %w", ErrNoMatching)
	}
	job := &matching{encodings: make([]tokenize.Encoding, count), images: make([]ImageTokens, count), results: make([]Match, count)}
	known := map[string]tokenize.Encoding{}
	for i := range count {
		if job.images[i] = image(i); e.checkTokens(job.images[i]) != nil {
			return nil, fmt.Errorf("match: pair %d: %w", i, e.checkTokens(job.images[i]))
		}
		if _, ok := known[text(i)]; !ok {
			known[text(i)] = e.encode(text(i))
		}
		job.encodings[i] = known[text(i)]
	}
	alone, shared := job.byImage()
	err = e.matchImages(ctx, job, alone)
	for _, pairs := range shared {
		if err == nil {
			err = e.matchTexts(ctx, job, pairs)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	return job.results, nil
}

// matching is pairs of images and texts, and what is known of them.
type matching struct {
	encodings []tokenize.Encoding
	images    []ImageTokens
	results   []Match
}

// byImage divides the pairs into those whose image has no other text, and the
// others, image by image. Images are the same when they share their memory.
func (m *matching) byImage() (alone []int, shared [][]int) {
	byTokens := map[*float32][]int{}
	var order []*float32
	for i, tokens := range m.images {
		first := &tokens.Values[0]
		if byTokens[first] == nil {
			order = append(order, first)
		}
		byTokens[first] = append(byTokens[first], i)
	}
	for _, first := range order {
		if pairs := byTokens[first]; len(pairs) > 1 {
			shared = append(shared, pairs)
		} else {
			alone = append(alone, pairs...)
		}
	}
	return alone, shared
}

// Batches groups pairs by the length of their texts.
func (m *matching) batches(pairs []int, most, workers int) [][]int {
	chosen := make([]tokenize.Encoding, len(pairs))
	for i, pair := range pairs {
		chosen[i] = m.encodings[pair]
	}
	groups := runner.Batches(chosen, most, workers)
	for _, group := range groups {
		for i, at := range group {
			group[i] = pairs[at]
		}
	}
	return groups
}

// matchImages judges pairs of many images, each with a text.
func (e *Engine) matchImages(ctx context.Context, job *matching, pairs []int) error {
	if len(pairs) == 0 {
		return nil
	}
	graph := e.model.Graphs[manifest.MatchFile]
	groups := job.batches(pairs, e.model.BatchSize(matchBatch), e.model.Options.Threads)
	return e.model.EachWithSession(ctx, graph, len(groups), func(ctx context.Context, session *ort.Session, i int) error {
		ids, mask := runner.TextTensors(job.encodings, groups[i])
		return job.run(ctx, session, groups[i], e.tokenBatch(job.images, groups[i]), ids, mask)
	})
}

// matchTexts judges pairs of one image. What depends on the image alone is
// computed once.
func (e *Engine) matchTexts(ctx context.Context, job *matching, pairs []int) error {
	session, err := e.model.Graphs[manifest.MatchImageFile].Open(ctx, e.model)
	if err != nil {
		return err
	}
	var memory []ort.Tensor
	err = e.model.One(ctx, 0, func(ctx context.Context, _ int) error {
		memory, err = session.Run(ctx, e.tokenBatch(job.images, pairs[:1]))
		return err
	})
	if err != nil {
		return err
	}
	graph := e.model.Graphs[manifest.MatchTextFile]
	groups := job.batches(pairs, e.model.BatchSize(matchBatch), e.model.Options.Threads)
	return e.model.EachWithSession(ctx, graph, len(groups), func(ctx context.Context, session *ort.Session, i int) error {
		ids, mask := runner.TextTensors(job.encodings, groups[i])
		return job.run(ctx, session, groups[i], append([]ort.Tensor{ids, mask}, memory...)...)
	})
}

// run computes the logits of a group of pairs.
func (m *matching) run(ctx context.Context, session *ort.Session, group []int, inputs ...ort.Tensor) error {
	logits := make([]float32, 2*len(group))
	err := session.RunInto(ctx, inputs, []ort.Tensor{ort.Float32Tensor(logits, int64(len(group)), 2)})
	for row, at := range group {
		m.results[at] = newMatch(logits[2*row], logits[2*row+1])
	}
	return err
}

// tokenBatch presents the image tokens of a group's pairs as a batch. One pair's
// are not copied.
func (e *Engine) tokenBatch(images []ImageTokens, group []int) ort.Tensor {
	rows, columns := e.model.TokenShape()
	values := images[group[0]].Values
	if len(group) > 1 {
		values = make([]float32, 0, len(group)*rows*columns)
		for _, i := range group {
			values = append(values, images[i].Values...)
		}
	}
	return ort.Float32Tensor(values, int64(len(group)), int64(rows), int64(columns))
}
