package lm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/runner"
)

// Model is a language model opened in a runner's model. It is safe for concurrent use: texts that are written at the same
// time take turns at each token.
type Model struct {
	model  *runner.Model
	config modelconfig.Language
	layout stepLayout
	steps  chan struct{} // holds one for each step that may be computed now

	tableMutex sync.Mutex
	table      *manifest.Embeddings // nil until it is needed
	tableFile  io.Closer            // of table
}

// New opens the language model of a model that has one. The caller must Close it, after the runner's model, which waits for
// all that is being written.
func New(model *runner.Model) (*Model, error) {
	step := model.Graphs[manifest.LanguageStepFile]
	if step == nil || model.Manifest.Config.Language == nil {
		return nil, errors.New("the model has no language model")
	}
	layout, err := newStepLayout(step.Signature)
	if err != nil {
		return nil, err
	}
	return &Model{model: model, config: *model.Manifest.Config.Language, layout: layout,
		steps: make(chan struct{}, max(1, model.Workers(step)))}, nil
}

// Vocabulary is the number of logits of a token.
func (m *Model) Vocabulary() int { return m.layout.vocabulary }

// HasEncoder reports whether the model reads prompts in an encoder, and its decoder begins anew.
func (m *Model) HasEncoder() bool { return m.layout.encoded }

// RowBytes is the memory of a text's keys and values with room for so many positions, in bytes.
func (m *Model) RowBytes(capacity int) int64 { return m.layout.rowBytes(capacity) }

// Workers is how many steps may be computed at the same time.
func (m *Model) Workers() int { return cap(m.steps) }

// Turn waits until a step may be computed, and returns what to call afterwards.
func (m *Model) Turn(ctx context.Context) (leave func(), err error) {
	if err := m.model.Options.Turns.Step(ctx); err != nil {
		return nil, err
	}
	select {
	case m.steps <- struct{}{}:
		return func() { <-m.steps }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Embeddings opens the table of token embeddings. The runner's model must be kept open.
func (m *Model) Embeddings(ctx context.Context) (*manifest.Embeddings, error) {
	m.tableMutex.Lock()
	defer m.tableMutex.Unlock()
	if m.table != nil {
		return m.table, nil
	}
	if err := m.model.Files.Verify(ctx, manifest.EmbeddingsFile); err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	table, file, err := manifest.OpenEmbeddings(m.config, m.model.ModelDir())
	if err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	m.table, m.tableFile = table, file
	return table, nil
}

// Warm opens all graphs and the table, so that no later call has to wait for them.
func (m *Model) Warm(ctx context.Context) error {
	done, err := m.model.Begin()
	if err != nil {
		return err
	}
	defer done()
	for _, signature := range m.model.Description.Graphs {
		if _, err := m.model.Graphs[signature.File].Open(ctx, m.model); err != nil {
			return err
		}
	}
	_, err = m.Embeddings(ctx)
	return err
}

// Close frees the table. Closing twice is allowed.
func (m *Model) Close() error {
	m.tableMutex.Lock()
	defer m.tableMutex.Unlock()
	if m.table == nil {
		return nil
	}
	err := m.tableFile.Close()
	m.table, m.tableFile = nil, nil
	return err
}
