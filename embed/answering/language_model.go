package answering

import (
	"context"
	"fmt"
	"slices"

	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/runner"
)

// languageModel is a language model with the keys and values of some texts: a row for each, all of one length. It
// implements decode.Model.
type languageModel struct {
	engine *Engine
	table  *manifest.Embeddings
	alone  bool // no others are written side by side, so that a run may take all threads
	cache  *keyValueCache
	memory *encoderMemory // T5 only
	logits []float32
}

var _ decode.Model = (*languageModel)(nil)

// preparedPrompt is what the language model reads of a prompt.
type preparedPrompt struct {
	vectors []float32 // of the image, row after row; none without one
	ids     []int64
}

// start reads prompts of one length, all with an image or all without, and returns the logits of the first token of each.
// There will be room for rows texts of most tokens each. Alone says that no other prompts are being read side by side with
// them.
func (e *Engine) start(ctx context.Context, prompts []preparedPrompt, rows, most int, alone bool) (*languageModel, []float32, error) {
	table, err := e.embeddings(ctx)
	if err != nil {
		return nil, nil, err
	}
	model := &languageModel{engine: e, table: table, alone: alone}
	embedded, err := model.embed(prompts)
	if err != nil {
		return nil, nil, err
	}
	positions := len(prompts[0].vectors)/e.config.Language.HiddenSize + len(prompts[0].ids)
	if e.layout.encoded {
		if model.memory, err = model.encode(ctx, embedded, len(prompts), positions); err != nil {
			return nil, nil, err
		}
		positions = 1
		if embedded, err = table.Append(nil, slices.Repeat([]int64{e.config.Language.Start}, len(prompts))...); err != nil {
			return nil, nil, err
		}
	}
	model.cache = newKeyValueCache(e.layout, len(prompts), max(rows, len(prompts)), positions+most)
	first, err := model.run(ctx, embedded, positions)
	if err != nil {
		return nil, nil, err
	}
	model.cache.prefix = model.cache.length
	return model, first, nil
}

// embed puts the vectors and the token embeddings of prompts side by side: [prompts positions width].
func (m *languageModel) embed(prompts []preparedPrompt) ([]float32, error) {
	width, first := m.engine.config.Language.HiddenSize, prompts[0]
	values := make([]float32, 0, len(prompts)*(len(first.vectors)+len(first.ids)*width))
	for _, prompt := range prompts {
		var err error
		if values, err = m.table.Append(append(values, prompt.vectors...), prompt.ids...); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// encode runs T5's encoder over embeddings [prompts positions width].
func (m *languageModel) encode(ctx context.Context, embedded []float32, prompts, positions int) (*encoderMemory, error) {
	e := m.engine
	encoder := e.model.Graphs[manifest.LanguageEncodeFile]
	session, err := m.open(ctx, encoder, encoder.Work*float64(prompts))
	if err != nil {
		return nil, err
	}
	inputs, err := tensors(ports(encoder.Inputs), func(p port) (ort.Tensor, bool) {
		switch p.prefix {
		case manifest.EmbeddingsName:
			return ort.Float32Tensor(embedded, int64(prompts), int64(positions), int64(e.config.Language.HiddenSize)), true
		case manifest.BucketsName:
			buckets := e.model.Description.Language.EncoderBuckets(positions)
			return ort.Int64Tensor(buckets, int64(positions), int64(positions)), true
		}
		return ort.Tensor{}, false
	})
	if err != nil {
		return nil, err
	}
	leave, err := e.turn(ctx)
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
func (m *languageModel) open(ctx context.Context, g *runner.Graph, work float64) (*ort.Session, error) {
	if !m.alone {
		return g.Open(ctx, m.engine.model)
	}
	return g.OpenFor(ctx, m.engine.model, work)
}

// turn waits until a step may be computed, and returns what to call afterwards.
func (e *Engine) turn(ctx context.Context) (leave func(), err error) {
	if err := e.model.Options.Turns.Step(ctx); err != nil {
		return nil, err
	}
	select {
	case e.steps <- struct{}{}:
		return func() { <-e.steps }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run appends positions to every row, given their embeddings [rows positions width], and returns the logits of what
// follows the last.
func (m *languageModel) run(ctx context.Context, embedded []float32, positions int) ([]float32, error) {
	e, rows := m.engine, m.cache.rows()
	if m.cache.length+positions > m.cache.capacity {
		return nil, fmt.Errorf("a text of %d tokens has no room in %d", m.cache.length+positions, m.cache.capacity)
	}
	m.logits = slices.Grow(m.logits[:0], rows*e.layout.vocabulary)[:rows*e.layout.vocabulary]
	inputs, err := tensors(e.layout.inputs, func(p port) (ort.Tensor, bool) { return m.input(p, embedded, positions) })
	if err != nil {
		return nil, err
	}
	outputs, err := tensors(e.layout.outputs, m.output)
	if err != nil {
		return nil, err
	}
	step := e.model.Graphs[manifest.LanguageStepFile]
	session, err := m.open(ctx, step, step.Work*float64(rows*positions))
	if err != nil {
		return nil, err
	}
	leave, err := e.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := session.RunInto(ctx, inputs, outputs); err != nil {
		return nil, err
	}
	m.cache.length += positions
	return m.logits, nil
}

func (m *languageModel) input(p port, embedded []float32, positions int) (ort.Tensor, bool) {
	rows, total := m.cache.rows(), m.cache.length+positions
	switch p.prefix {
	case manifest.EmbeddingsName:
		return ort.Float32Tensor(embedded, int64(rows), int64(positions), int64(m.engine.config.Language.HiddenSize)), true
	case manifest.LastPositionName:
		return ort.Int32Tensor(slices.Repeat([]int32{int32(total - 1)}, rows), int64(rows)), true
	case manifest.TotalLengthName:
		return ort.Int32Tensor([]int32{int32(total)}, 1), true
	case manifest.BucketsName:
		buckets := m.engine.model.Description.Language.DecoderBuckets(m.cache.length, positions)
		return ort.Int64Tensor(buckets, int64(positions), int64(total)), true
	case manifest.PastKeyPrefix:
		return m.cache.tensor(m.cache.keys, p.layer), true
	case manifest.PastValuePrefix:
		return m.cache.tensor(m.cache.values, p.layer), true
	}
	if m.memory == nil {
		return ort.Tensor{}, false
	}
	return m.memory.tensor(p)
}

func (m *languageModel) output(p port) (ort.Tensor, bool) {
	switch p.prefix {
	case manifest.LogitsName:
		return ort.Float32Tensor(m.logits, int64(m.cache.rows()), int64(m.engine.layout.vocabulary)), true
	case manifest.PresentKeyPrefix:
		return m.cache.tensor(m.cache.keys, p.layer), true
	case manifest.PresentValuePrefix:
		return m.cache.tensor(m.cache.values, p.layer), true
	}
	return ort.Tensor{}, false
}

// Step implements decode.Model.
func (m *languageModel) Step(ctx context.Context, tokens []int64) ([]float32, error) {
	embedded, err := m.table.Append(make([]float32, 0, len(tokens)*m.engine.config.Language.HiddenSize), tokens...)
	if err != nil {
		return nil, err
	}
	return m.run(ctx, embedded, 1)
}

// Gather implements decode.Model.
func (m *languageModel) Gather(_ context.Context, parents []int) error {
	m.cache.gather(parents)
	if m.memory != nil {
		m.memory.serve(m.cache.owners)
	}
	return nil
}

// rewind goes back to the end of the only prompt, in one row.
func (m *languageModel) rewind() {
	m.cache.length, m.cache.owners = m.cache.prefix, m.cache.owners[:1]
}
