package embed

import (
	"context"
	"fmt"

	"mekiki/embed/blip2"
	"mekiki/embed/ort"
	"mekiki/embed/wordpiece"
)

// encode reads a text as the options say.
func (e *Engine) encode(text string) wordpiece.Encoding {
	if e.options.CleanTexts {
		text = wordpiece.CleanCaption(text)
	}
	return e.tokenizer.Encode(text, e.options.MaximumTokens)
}

// TextInfo says how the model reads a text; it computes no vector.
func (e *Engine) TextInfo(text string) TextInfo {
	encoding := e.encode(text)
	return TextInfo{Tokens: len(encoding.IDs), Truncated: encoding.Truncated, Dropped: encoding.Dropped}
}

// TextVectors runs the text transformer over texts, in their order. Long texts
// are truncated; TextInfo tells which.
func (e *Engine) TextVectors(ctx context.Context, texts []string) ([]Vector, error) {
	done, err := e.begin()
	if err != nil {
		return nil, err
	}
	defer done()
	graph := e.graphs[blip2.TextFile]
	session, err := graph.open(ctx, e)
	if err != nil {
		return nil, err
	}
	width := e.Space().Width
	results := make([]Vector, len(texts))
	err = e.each(ctx, graph, len(texts), func(ctx context.Context, i int) error {
		ids, mask := textTensors(e.encode(texts[i]))
		output := make([]float32, width)
		err := session.RunInto(ctx, []ort.Tensor{ids, mask},
			[]ort.Tensor{ort.Float32Tensor(output, 1, int64(width))})
		results[i] = output
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("text vectors: %w", err)
	}
	return results, nil
}

// textTensors presents one encoding as a batch of one, without padding.
func textTensors(encoding wordpiece.Encoding) (ids, mask ort.Tensor) {
	length := int64(len(encoding.IDs))
	ones := make([]int64, length)
	for i := range ones {
		ones[i] = 1
	}
	return ort.Int64Tensor(encoding.IDs, 1, length), ort.Int64Tensor(ones, 1, length)
}
