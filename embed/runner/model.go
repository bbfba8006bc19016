package runner

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"mekiki/embed/manifest"
	"mekiki/embed/pixels"
	"mekiki/embed/tokenize"
)

// ErrClosed means that a model was closed.
var ErrClosed = errors.New("engine is closed")

// Model is what the engines of both stages share: the files of one model, its graphs, and whose turn it is.
type Model struct {
	Options       Options
	Manifest      manifest.Manifest
	Description   manifest.Description
	Normalization pixels.Normalization
	Files         *Files
	Graphs        map[string]*Graph

	mutex  sync.RWMutex // held for reading while a method runs
	closed bool
}

// Open opens a model's folder, but none of its graphs.
func Open(ctx context.Context, options Options) (*Model, manifest.Family, error) {
	options = options.withDefaults()
	if err := options.Validate(); err != nil {
		return nil, manifest.Family{}, fmt.Errorf("open model: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, manifest.Family{}, err
	}
	model, err := manifest.Read(options.ModelDir)
	if err != nil {
		return nil, manifest.Family{}, err
	}
	if err := model.CheckFolder(options.ModelDir); err != nil {
		return nil, manifest.Family{}, fmt.Errorf("open model %s: %w", options.ModelDir, err)
	}
	family, err := model.FamilyOf(options.Families)
	if err != nil {
		return nil, manifest.Family{}, fmt.Errorf("open model %s: %w", options.ModelDir, err)
	}
	description := family.Describe(model)
	if options.MaximumTokens == 0 || options.MaximumTokens > description.MaximumTokens {
		options.MaximumTokens = description.MaximumTokens
	}
	preprocess := model.Config.Preprocess
	opened := &Model{
		Options: options, Manifest: model, Description: description, Files: newFiles(options.ModelDir, model), Graphs: map[string]*Graph{},
		Normalization: pixels.Normalization{
			Mean: preprocess.Mean, StandardDeviation: preprocess.StandardDeviation, RescaleFactor: preprocess.RescaleFactor,
		},
	}
	if err := opened.Normalization.Validate(); err != nil && !model.Config.Translates() {
		return nil, manifest.Family{}, fmt.Errorf("open model %s: %w", options.ModelDir, err)
	}
	for _, signature := range description.Graphs {
		opened.Graphs[signature.File] = &Graph{Signature: signature, files: opened.Files}
	}
	if description.Map != nil {
		opened.Graphs[description.Map.Graph.File] = &Graph{Signature: description.Map.Graph, files: opened.Files}
	}
	return opened, family, nil
}

// OpenTokenizer makes the tokenizer of the Q-Former.
func (m *Model) OpenTokenizer(ctx context.Context, family manifest.Family) (tokenize.Tokenizer, error) {
	tokenizer, err := family.Tokenizer(func(name string) ([]byte, error) { return m.Files.read(ctx, name) })
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", m.Options.ModelDir, err)
	}
	return tokenizer, nil
}

// ModelDir returns the model's folder.
func (m *Model) ModelDir() string { return filepath.Clean(m.Options.ModelDir) }

// Capabilities says what the model can do.
func (m *Model) Capabilities() manifest.Capabilities { return m.Manifest.Capabilities() }

// Shape returns the size of what a graph gives first, without its batch.
func (m *Model) Shape(file string) []int {
	var sizes []int
	for _, size := range m.Graphs[file].Outputs[0].Shape[1:] {
		sizes = append(sizes, int(size))
	}
	return sizes
}

// TokenShape returns the size of this model's image tokens.
func (m *Model) TokenShape() (rows, columns int) {
	shape := m.Shape(manifest.VisionFile)
	return shape[0], shape[1]
}

// Begin keeps the engine open until the returned function is called.
func (m *Model) Begin() (func(), error) {
	m.mutex.RLock()
	if m.closed {
		m.mutex.RUnlock()
		return nil, ErrClosed
	}
	return m.mutex.RUnlock, nil
}

// Close waits for what is running and frees the model's memory. Closing twice is
// allowed.
func (m *Model) Close() error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	var problems []error
	for _, graph := range m.Graphs {
		problems = append(problems, graph.close())
	}
	return errors.Join(problems...)
}
