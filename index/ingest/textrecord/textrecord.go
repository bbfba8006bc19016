package textrecord

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mekiki/embed"
	"mekiki/index"
)

// Text is one text of the user's own.
type Text struct {
	// Text is the text itself; it must not be blank.
	Text string
	// ID is the user's own name for it; a text whose id is known replaces the
	// one that had it. It may be empty.
	ID string
	// Tags are given to it; Fields are further named values.
	Tags   []string
	Fields map[string]string
}

// Engine is what texts need of a model; *embed.Engine is one.
type Engine interface {
	Space() embed.Space
	TextVectors(ctx context.Context, texts []string) ([]embed.Vector, error)
}

// Add brings texts into the library in one durable commit and gives their
// records in the order of the texts. A text that is there already keeps its record
// and gains the tags. Use [Texts] for files of them.
func Add(ctx context.Context, library index.Library, engine Engine, texts []Text) ([]index.ID, error) {
	if err := index.PrepareSpace(ctx, library, engine.Space(), false); err != nil {
		return nil, fmt.Errorf("add texts: %w", err)
	}
	var batch index.Batch
	for i := range texts {
		if strings.TrimSpace(texts[i].Text) == "" {
			return nil, fmt.Errorf("add texts: text %d: %w", i+1, errors.New("has no words"))
		}
		entry := entry{text: texts[i].Text, id: texts[i].ID, tags: texts[i].Tags, fields: texts[i].Fields}
		batch.Puts = append(batch.Puts, index.Put{Record: index.Record{
			Kind: index.KindText, Hash: entry.hash(), Text: entry.text, ExternalID: entry.id, Fields: entry.fields, Tags: entry.tags,
			Bytes: int64(len(entry.text)),
		}})
	}
	if err := embedPuts(ctx, library, engine, batch.Puts); err != nil {
		return nil, fmt.Errorf("add texts: %w", err)
	}
	result, err := library.Write(ctx, batch)
	if err != nil {
		return nil, fmt.Errorf("add texts: %w", err)
	}
	return result.IDs, nil
}

// embedPuts gives vectors to the texts whose records have none yet, or will have
// been replaced by an earlier one with their id.
func embedPuts(ctx context.Context, library index.Library, engine Engine, puts []index.Put) error {
	reader, err := library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	space := engine.Space()
	hashes := make([]index.Hash, len(puts))
	for i := range puts {
		hashes[i] = puts[i].Record.Hash
	}
	_, embedded, err := embeddedOf(ctx, reader, space, hashes)
	if err != nil {
		return err
	}
	var waiting []int
	named := map[string]bool{}
	for i := range puts {
		id := puts[i].Record.ExternalID
		if !embedded[i] || named[id] {
			waiting = append(waiting, i)
		}
		named[id] = id != ""
	}
	for start := 0; start < len(waiting); start += addTextsBatch {
		some := waiting[start:min(start+addTextsBatch, len(waiting))]
		words := make([]string, len(some))
		for i, at := range some {
			words[i] = puts[at].Record.Text
		}
		vectors, err := engine.TextVectors(ctx, words)
		if err != nil {
			return err
		}
		for i, at := range some {
			puts[at].Vectors = index.Vectors{Space: space, Parts: embed.Parts{Count: 1, Width: len(vectors[i]), Values: vectors[i]}}
		}
	}
	return nil
}

// embeddedOf gives the records of contents, nil where there is none, and which of them
// have vectors in a space.
func embeddedOf(ctx context.Context, reader index.Reader, space embed.Space, hashes []index.Hash) ([]*index.Record, []bool, error) {
	records, err := reader.RecordsByHash(ctx, hashes)
	if err != nil {
		return nil, nil, err
	}
	ids := index.IDs(records)
	embedded, err := reader.HaveParts(ctx, space, ids)
	return records, embedded, err
}
