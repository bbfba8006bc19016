package embed

import (
	"context"
	"fmt"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/runner"
	"mekiki/embed/tokenize"
)

// encode reads a text as the options say.
func (e *Engine) encode(text string) tokenize.Encoding {
	if e.model.Options.CleanTexts {
		text = tokenize.CleanCaption(text)
	}
	return e.tokenizer.Encode(text, e.model.Options.MaximumTokens)
}

// TextInfo says how the model reads a text; it computes no vector.
func (e *Engine) TextInfo(text string) TextInfo {
	encoding := e.encode(text)
	return TextInfo{Tokens: len(encoding.IDs), Truncated: encoding.Truncated, Dropped: encoding.Dropped, Unread: encoding.Unread}
}

// TextVectors runs the text transformer over texts, in their order. Long texts
// are truncated; TextInfo tells which.
func (e *Engine) TextVectors(ctx context.Context, texts []string) ([]Vector, error) {
	done, err := e.model.Begin()
	if err != nil {
		return nil, err
	}
	defer done()
	graph := e.model.Graphs[manifest.TextFile]
	encodings := make([]tokenize.Encoding, len(texts))
	for i, text := range texts {
		encodings[i] = e.encode(text)
	}
	groups := runner.Batches(encodings, e.model.BatchSize(textBatch), e.model.Options.Threads)
	width := e.Space().Width
	results := make([]Vector, len(texts))
	err = e.model.EachWithSession(ctx, graph, len(groups), func(ctx context.Context, session *ort.Session, i int) error {
		group := groups[i]
		ids, mask := runner.TextTensors(encodings, group)
		output := make([]float32, len(group)*width)
		err := session.RunInto(ctx, []ort.Tensor{ids, mask},
			[]ort.Tensor{ort.Float32Tensor(output, int64(len(group)), int64(width))})
		for row, at := range group {
			results[at] = output[row*width : (row+1)*width : (row+1)*width]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("text vectors: %w", err)
	}
	return results, nil
}
