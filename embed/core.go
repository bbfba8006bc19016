package embed

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

// core is what the engines of both stages share: the files of one model, its graphs, and whose turn it is.
type core struct {
	options       Options
	manifest      manifest.Manifest
	description   manifest.Description
	normalization pixels.Normalization
	files         *files
	graphs        map[string]*graph

	mutex  sync.RWMutex // held for reading while a method runs
	closed bool
}

// openCore opens a model's folder, but none of its graphs.
func openCore(ctx context.Context, options Options) (*core, manifest.Family, error) {
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
	opened := &core{
		options: options, manifest: model, description: description, files: newFiles(options.ModelDir, model), graphs: map[string]*graph{},
		normalization: pixels.Normalization{
			Mean: preprocess.Mean, StandardDeviation: preprocess.StandardDeviation, RescaleFactor: preprocess.RescaleFactor,
		},
	}
	if err := opened.normalization.Validate(); err != nil {
		return nil, manifest.Family{}, fmt.Errorf("open model %s: %w", options.ModelDir, err)
	}
	for _, signature := range description.Graphs {
		opened.graphs[signature.File] = &graph{Signature: signature, files: opened.files}
	}
	if description.Map != nil {
		opened.graphs[description.Map.Graph.File] = &graph{Signature: description.Map.Graph, files: opened.files}
	}
	return opened, family, nil
}

// openTokenizer makes the tokenizer of the Q-Former.
func (e *core) openTokenizer(ctx context.Context, family manifest.Family) (tokenize.Tokenizer, error) {
	tokenizer, err := family.Tokenizer(func(name string) ([]byte, error) { return e.files.read(ctx, name) })
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", e.options.ModelDir, err)
	}
	return tokenizer, nil
}

// Manifest returns the model's description. Its slices must not be changed.
func (e *core) Manifest() manifest.Manifest { return e.manifest }

// Turns returns the engine's turns, for the Options of others on the same machine.
func (e *core) Turns() *Turns { return e.options.Turns }

// ModelDir returns the model's folder.
func (e *core) ModelDir() string { return filepath.Clean(e.options.ModelDir) }

// Capabilities says what the model can do. Matching without it is ErrNoMatching,
// captioning ErrNoCaptions.
func (e *core) Capabilities() Capabilities { return e.manifest.Capabilities() }

// shape returns the size of what a graph gives first, without its batch.
func (e *core) shape(file string) []int {
	var sizes []int
	for _, size := range e.graphs[file].Outputs[0].Shape[1:] {
		sizes = append(sizes, int(size))
	}
	return sizes
}

// tokenShape returns the size of this model's image tokens.
func (e *core) tokenShape() (rows, columns int) {
	shape := e.shape(manifest.VisionFile)
	return shape[0], shape[1]
}

// begin keeps the engine open until the returned function is called.
func (e *core) begin() (func(), error) {
	e.mutex.RLock()
	if e.closed {
		e.mutex.RUnlock()
		return nil, ErrClosed
	}
	return e.mutex.RUnlock, nil
}

// Close waits for what is running and frees the model's memory. Closing twice is
// allowed.
func (e *core) Close() error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	var problems []error
	for _, graph := range e.graphs {
		problems = append(problems, graph.close())
	}
	return errors.Join(problems...)
}
