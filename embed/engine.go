package embed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/pixels"
	"mekiki/embed/tokenize"
)

// Options says which model to open and how to run it.
type Options struct {
	// ModelDir is the folder of a compiled model.
	ModelDir string
	// Families are the architectures that the program knows.
	Families []manifest.Family
	// Runtime runs it; it must stay open as long as the Engine.
	Runtime *ort.Runtime
	// Threads bounds the threads that one image or text is computed with; 0
	// means one per usable processor.
	Threads int
	// Spin is handed to every session; see ort.SessionOptions.
	Spin bool
	// Provider is the execution provider; "" is "cpu".
	Provider string
	// CleanTexts prepares texts as LAVIS does for training and evaluation (see
	// tokenize.CleanCaption) before they are read. Hugging Face's processor does
	// not.
	CleanTexts bool
	// MaximumTokens truncates texts, special tokens counted; 0 means what the
	// model's positions allow. LAVIS evaluates with 35.
	MaximumTokens int
	// Logger receives what was opened and how long it took; nil discards it.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Validate reports everything that is wrong with the options.
func (o Options) Validate() error {
	var problems []error
	if o.ModelDir == "" {
		problems = append(problems, errors.New("no model folder"))
	}
	if len(o.Families) == 0 {
		problems = append(problems, errors.New("no families of models"))
	}
	if o.Runtime == nil {
		problems = append(problems, errors.New("no runtime"))
	}
	if o.Threads < 0 {
		problems = append(problems, fmt.Errorf("threads must not be negative: %d", o.Threads))
	}
	if o.MaximumTokens != 0 && o.MaximumTokens < 3 {
		problems = append(problems, fmt.Errorf("texts need at least 3 tokens, not %d", o.MaximumTokens))
	}
	return errors.Join(problems...)
}

// Errors that callers branch on.
var (
	// ErrClosed means that the Engine was closed.
	ErrClosed = errors.New("engine is closed")
	// ErrNoCaptions means that the model's checkpoint had no caption head.
	ErrNoCaptions = errors.New("this model cannot write captions")
	// ErrNoMatching means that the model's checkpoint had no matching head.
	ErrNoMatching = errors.New("this model cannot match images with texts")
	// ErrModelFiles means that the model's folder is not as its manifest says.
	ErrModelFiles = manifest.ErrFiles
)

// Engine runs one model. It is safe for concurrent use.
type Engine struct {
	options       Options
	manifest      manifest.Manifest
	description   manifest.Description
	tokenizer     tokenize.Tokenizer
	normalization pixels.Normalization
	graphs        map[string]*graph
	gate          gate

	mutex  sync.RWMutex // held for reading while a method runs
	closed bool
}

// Open opens the model in options.ModelDir. It checks that the folder holds what
// the manifest lists and nothing else; each graph is hashed and opened when it is
// first needed, or by Warm. The caller must Close the Engine.
func Open(ctx context.Context, options Options) (*Engine, error) {
	options = options.withDefaults()
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	model, err := manifest.Read(options.ModelDir)
	if err != nil {
		return nil, err
	}
	if err := model.CheckFolder(options.ModelDir); err != nil {
		return nil, fmt.Errorf("open model %s: %w", options.ModelDir, err)
	}
	family, err := model.FamilyOf(options.Families)
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", options.ModelDir, err)
	}
	files := newFiles(options.ModelDir, model)
	tokenizer, err := family.Tokenizer(func(name string) ([]byte, error) { return files.read(ctx, name) })
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", options.ModelDir, err)
	}
	description := family.Describe(model)
	if options.MaximumTokens == 0 || options.MaximumTokens > description.MaximumTokens {
		options.MaximumTokens = description.MaximumTokens
	}
	preprocess := model.Config.Preprocess
	engine := &Engine{
		options: options, manifest: model, description: description, tokenizer: tokenizer,
		normalization: pixels.Normalization{
			Mean: preprocess.Mean, StandardDeviation: preprocess.StandardDeviation, RescaleFactor: preprocess.RescaleFactor,
		},
		graphs: map[string]*graph{},
	}
	if err := engine.normalization.Validate(); err != nil {
		return nil, fmt.Errorf("open model %s: %w", options.ModelDir, err)
	}
	for _, signature := range description.Graphs {
		engine.graphs[signature.File] = &graph{Signature: signature, files: files}
	}
	return engine, nil
}

// Space returns what the engine's vectors may be compared with.
func (e *Engine) Space() Space {
	shape := e.shape(manifest.ImagePartsFile)
	return Space{Fingerprint: e.manifest.Fingerprint, Parts: shape[0], Width: shape[1]}
}

// Manifest returns the model's description. Its slices must not be changed.
func (e *Engine) Manifest() manifest.Manifest { return e.manifest }

// ModelDir returns the model's folder.
func (e *Engine) ModelDir() string { return filepath.Clean(e.options.ModelDir) }

// Capabilities says what the model can do. Matching without it is ErrNoMatching,
// captioning ErrNoCaptions.
func (e *Engine) Capabilities() Capabilities { return e.manifest.Capabilities() }

// shape returns the size of what a graph gives first, without its batch.
func (e *Engine) shape(file string) []int {
	var sizes []int
	for _, size := range e.graphs[file].Outputs[0].Shape[1:] {
		sizes = append(sizes, int(size))
	}
	return sizes
}

// tokenShape returns the size of this model's image tokens.
func (e *Engine) tokenShape() (rows, columns int) {
	shape := e.shape(manifest.VisionFile)
	return shape[0], shape[1]
}

// vocabulary is the number of tokens that a caption is written with.
func (e *Engine) vocabulary() int { return e.shape(manifest.CaptionStepFile)[1] }

// begin keeps the engine open until the returned function is called.
func (e *Engine) begin() (func(), error) {
	e.mutex.RLock()
	if e.closed {
		e.mutex.RUnlock()
		return nil, ErrClosed
	}
	return e.mutex.RUnlock, nil
}

// Close waits for what is running and frees the model's memory. Closing twice is
// allowed.
func (e *Engine) Close() error {
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
