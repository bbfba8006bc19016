package ingest

import (
	"context"
	"slices"

	"mekiki/embed"
	"mekiki/index"
)

// fillTexts gives the library's texts vectors in the engine's space.
func (r *run) fillTexts(ctx context.Context) error {
	const size = 256
	space := r.engine.Space()
	return r.eachLacking(ctx, index.KindText, size, func(records []*index.Record) error {
		texts := make([]string, len(records))
		for i, record := range records {
			texts[i] = record.Text
		}
		vectors, err := r.engine.TextVectors(ctx, texts)
		if err != nil {
			return err
		}
		var batch index.Batch
		for i, record := range records {
			parts := embed.Parts{Count: 1, Width: len(vectors[i]), Values: vectors[i]}
			batch.Vectors = append(batch.Vectors, index.Vectors{ID: record.ID, Space: space, Parts: parts})
		}
		_, err = r.library.Write(ctx, batch)
		return err
	})
}

// eachLacking visits the records of a kind that have no vectors in the engine's space,
// size at a time at most.
func (r *run) eachLacking(ctx context.Context, kind index.Kind, size int, visit func([]*index.Record) error) error {
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	records, _, err := reader.List(ctx, index.Filter{Kinds: []index.Kind{kind}, Hidden: index.ChoiceInclude, Trash: index.ChoiceInclude}, index.Page{})
	if err != nil {
		return err
	}
	for some := range slices.Chunk(records, size) {
		ids := index.IDs(some)
		have, err := reader.HaveParts(ctx, r.engine.Space(), ids)
		if err != nil {
			return err
		}
		var lacking []*index.Record
		for i, record := range some {
			if !have[i] {
				lacking = append(lacking, record)
			}
		}
		if len(lacking) == 0 {
			continue
		}
		if err := visit(lacking); err != nil {
			return err
		}
	}
	return nil
}
