package evaluate

import (
	"context"
	"fmt"
	"path"

	"mekiki/embed"
	"mekiki/index"
)

// nearMisses sets captions against wrong but near ones of the same picture.
func (e *evaluation) nearMisses(ctx context.Context) error {
	misses := e.source.Sets.NearMisses
	if len(misses) == 0 || !e.engine.Capabilities().Match {
		return nil
	}
	reader, err := e.neutral.Reader(ctx)
	if err != nil {
		return fmt.Errorf("read library: %w", err)
	}
	defer reader.Close()
	records := e.byName()
	var itm, itc, score []bool
	edits := map[string][]bool{}
	for i, miss := range misses {
		id, ok := records[path.Base(miss.Image)]
		if !ok {
			continue
		}
		matches, cosines, err := e.compare(ctx, reader, id, miss.Right, miss.Wrong)
		if err != nil {
			return fmt.Errorf("compare %s: %w", miss.Image, err)
		}
		right := matches[0].Logit() > matches[1].Logit()
		itm = append(itm, right)
		edits[miss.Edit] = append(edits[miss.Edit], right)
		itc = append(itc, cosines[0] > cosines[1])
		score = append(score, matches[0].Logit()+cosines[0] > matches[1].Logit()+cosines[1])
		e.options.Progress("near misses", i+1, len(misses))
	}
	result := &NearMisses{ITM: shareOf(itm, nil), ITC: shareOf(itc, nil), Score: shareOf(score, nil), Edits: map[string]Share{}}
	for edit, answers := range edits {
		result.Edits[edit] = shareOf(answers, nil)
	}
	e.report.NearMisses = result
	return nil
}

// compare matches one picture with two texts.
func (e *evaluation) compare(ctx context.Context, reader index.Reader, id index.ID, texts ...string) ([]embed.Match, []float32, error) {
	tokens, err := index.One(reader.Tokens(ctx, []index.ID{id}))
	if err != nil {
		return nil, nil, err
	}
	parts, err := index.One(reader.Parts(ctx, []index.ID{id}))
	if err != nil {
		return nil, nil, err
	}
	images := make([]embed.ImageTokens, len(texts))
	for i := range images {
		images[i] = tokens
	}
	matches, err := e.engine.MatchPairs(ctx, images, texts)
	if err != nil {
		return nil, nil, err
	}
	vectors, err := e.engine.TextVectors(ctx, texts)
	if err != nil {
		return nil, nil, err
	}
	cosines := make([]float32, len(texts))
	for i, vector := range vectors {
		cosines[i], _ = parts.Similarity(vector)
	}
	return matches, cosines, nil
}
