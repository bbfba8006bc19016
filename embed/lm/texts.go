package lm

import (
	"context"
	"fmt"
	"slices"

	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/runner"
)

// Texts are the texts that a language model is writing, with their keys and values: a row for each, all of one length. It
// implements decode.Model, and serves one goroutine.
type Texts struct {
	model  *Model
	table  *manifest.Embeddings
	alone  bool // no others are written side by side, so that a run may take all threads
	cache  *keyValueCache
	memory *encoderMemory // of a model with an encoder
	logits []float32
}

var _ decode.Model = (*Texts)(nil)

// Prompt is what a language model reads of a prompt.
type Prompt struct {
	Vectors []float32 // embeddings that come before the tokens, row after row: an image's, or none
	Tokens  []int64
}

// Start reads prompts of one length, all with vectors of one number of rows or all without, and returns the logits of the
// first token of each, which are valid until the next step. There will be room for rows texts of most tokens each. Alone says
// that no other prompts are being read side by side with them.
func (m *Model) Start(ctx context.Context, prompts []Prompt, rows, most int, alone bool) (*Texts, []float32, error) {
	table, err := m.Embeddings(ctx)
	if err != nil {
		return nil, nil, err
	}
	texts := &Texts{model: m, table: table, alone: alone}
	embedded, err := texts.embed(prompts)
	if err != nil {
		return nil, nil, err
	}
	positions := len(prompts[0].Vectors)/m.config.HiddenSize + len(prompts[0].Tokens)
	if m.layout.encoded {
		if texts.memory, err = texts.encode(ctx, embedded, len(prompts), positions); err != nil {
			return nil, nil, err
		}
		positions = 1
		if embedded, err = table.Append(nil, slices.Repeat([]int64{m.config.Start}, len(prompts))...); err != nil {
			return nil, nil, err
		}
	}
	texts.cache = newKeyValueCache(m.layout, len(prompts), max(rows, len(prompts)), positions+most)
	first, err := texts.run(ctx, embedded, positions)
	if err != nil {
		return nil, nil, err
	}
	texts.cache.prefix = texts.cache.length
	return texts, first, nil
}

// embed puts the vectors and the token embeddings of prompts side by side: [prompts positions width].
func (t *Texts) embed(prompts []Prompt) ([]float32, error) {
	width, first := t.model.config.HiddenSize, prompts[0]
	values := make([]float32, 0, len(prompts)*(len(first.Vectors)+len(first.Tokens)*width))
	for _, prompt := range prompts {
		var err error
		if values, err = t.table.Append(append(values, prompt.Vectors...), prompt.Tokens...); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// encode runs the encoder over embeddings [prompts positions width].
func (t *Texts) encode(ctx context.Context, embedded []float32, prompts, positions int) (*encoderMemory, error) {
	m := t.model
	encoder := m.model.Graphs[manifest.LanguageEncodeFile]
	session, err := t.open(ctx, encoder, encoder.Work*float64(prompts))
	if err != nil {
		return nil, err
	}
	inputs, err := tensors(ports(encoder.Inputs), func(p port) (ort.Tensor, bool) {
		switch p.prefix {
		case manifest.EmbeddingsName:
			return ort.Float32Tensor(embedded, int64(prompts), int64(positions), int64(m.config.HiddenSize)), true
		case manifest.BucketsName:
			buckets := m.model.Description.Language.EncoderBuckets(positions)
			return ort.Int64Tensor(buckets, int64(positions), int64(positions)), true
		}
		return ort.Tensor{}, false
	})
	if err != nil {
		return nil, err
	}
	leave, err := m.Turn(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	outputs, err := session.Run(ctx, inputs...)
	if err != nil {
		return nil, err
	}
	return newEncoderMemory(ports(encoder.Outputs), outputs, prompts), nil
}

// Open returns the session for a run of so much work.
func (t *Texts) open(ctx context.Context, g *runner.Graph, work float64) (*ort.Session, error) {
	if !t.alone {
		return g.Open(ctx, t.model.model)
	}
	return g.OpenFor(ctx, t.model.model, work)
}

// run appends positions to every row, given their embeddings [rows positions width], and returns the logits of what
// follows the last.
func (t *Texts) run(ctx context.Context, embedded []float32, positions int) ([]float32, error) {
	m, rows := t.model, t.cache.rows()
	if t.cache.length+positions > t.cache.capacity {
		return nil, fmt.Errorf("a text of %d tokens has no room in %d", t.cache.length+positions, t.cache.capacity)
	}
	t.logits = slices.Grow(t.logits[:0], rows*m.layout.vocabulary)[:rows*m.layout.vocabulary]
	inputs, err := tensors(m.layout.inputs, func(p port) (ort.Tensor, bool) { return t.input(p, embedded, positions) })
	if err != nil {
		return nil, err
	}
	outputs, err := tensors(m.layout.outputs, t.output)
	if err != nil {
		return nil, err
	}
	step := m.model.Graphs[manifest.LanguageStepFile]
	session, err := t.open(ctx, step, step.Work*float64(max(rows*positions, readingRows)))
	if err != nil {
		return nil, err
	}
	leave, err := m.Turn(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := session.RunInto(ctx, inputs, outputs); err != nil {
		return nil, err
	}
	t.cache.length += positions
	return t.logits, nil
}

func (t *Texts) input(p port, embedded []float32, positions int) (ort.Tensor, bool) {
	rows, total := t.cache.rows(), t.cache.length+positions
	switch p.prefix {
	case manifest.EmbeddingsName:
		return ort.Float32Tensor(embedded, int64(rows), int64(positions), int64(t.model.config.HiddenSize)), true
	case manifest.LastPositionName:
		return ort.Int32Tensor(slices.Repeat([]int32{int32(total - 1)}, rows), int64(rows)), true
	case manifest.TotalLengthName:
		return ort.Int32Tensor([]int32{int32(total)}, 1), true
	case manifest.BucketsName:
		buckets := t.model.model.Description.Language.DecoderBuckets(t.cache.length, positions)
		return ort.Int64Tensor(buckets, int64(positions), int64(total)), true
	case manifest.PastKeyPrefix:
		return t.cache.tensor(t.cache.keys, p.layer), true
	case manifest.PastValuePrefix:
		return t.cache.tensor(t.cache.values, p.layer), true
	}
	if t.memory == nil {
		return ort.Tensor{}, false
	}
	return t.memory.tensor(p)
}

func (t *Texts) output(p port) (ort.Tensor, bool) {
	switch p.prefix {
	case manifest.LogitsName:
		return ort.Float32Tensor(t.logits, int64(t.cache.rows()), int64(t.model.layout.vocabulary)), true
	case manifest.PresentKeyPrefix:
		return t.cache.tensor(t.cache.keys, p.layer), true
	case manifest.PresentValuePrefix:
		return t.cache.tensor(t.cache.values, p.layer), true
	}
	return ort.Tensor{}, false
}

// Step implements decode.Model.
func (t *Texts) Step(ctx context.Context, tokens []int64) ([]float32, error) {
	embedded, err := t.table.Append(make([]float32, 0, len(tokens)*t.model.config.HiddenSize), tokens...)
	if err != nil {
		return nil, err
	}
	return t.run(ctx, embedded, 1)
}

// Gather implements decode.Model.
func (t *Texts) Gather(_ context.Context, parents []int) error {
	t.cache.gather(parents)
	if t.memory != nil {
		t.memory.serve(t.cache.owners)
	}
	return nil
}

// Rewind goes back to the end of the only prompt, in one row.
func (t *Texts) Rewind() {
	t.cache.length, t.cache.owners = t.cache.prefix, t.cache.owners[:1]
}
