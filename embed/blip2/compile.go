package blip2

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/quantize"
)

// Source is what Compile reads; *checkpoint.Checkpoint is one.
type Source interface {
	quantize.Weights
	// Config is the sizes of the model.
	Config() checkpoint.Config
	// Vocabulary is vocab.txt, one token a line.
	Vocabulary() ([]byte, bool)
	// ReadFile reads a small file beside the weights.
	ReadFile(name string) ([]byte, error)
}

var _ Source = (*checkpoint.Checkpoint)(nil)

// Step is a moment of a compilation.
type Step struct {
	Doing string // in a few words, such as "vision layer 3"
	Done  int    // steps finished
	Total int    // steps in all
}

// CompileOptions says how to compile.
type CompileOptions struct {
	// Precision is manifest.Int8 when empty.
	Precision manifest.Precision
	// Runtime runs the samples by which Int8 chooses layer by layer; it is
	// needed for Int8 only.
	Runtime *ort.Runtime
	// Threads bounds the threads of those runs; 0 means all processors.
	Threads int
	// Samples are images to choose and check by, as pixels [3 S S] normalised
	// for the model; without any, drawn patterns are used.
	Samples [][]float32
	// Texts are token ids to choose and check by; without any, drawn ids are used.
	Texts [][]int64
	// Progress is told of every step, from one goroutine; it may be nil.
	Progress func(Step)
	// Logger receives what was chosen; nil is silent.
	Logger *slog.Logger
}

func (o CompileOptions) withDefaults() CompileOptions {
	if o.Precision == "" {
		o.Precision = manifest.Int8
	}
	if o.Progress == nil {
		o.Progress = func(Step) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Validate reports everything that is wrong with the options.
func (o CompileOptions) Validate() error {
	var problems []error
	if o.Precision != manifest.Float32 && o.Precision != manifest.Int8 {
		problems = append(problems, fmt.Errorf("unknown precision %q", o.Precision))
	}
	if o.Precision == manifest.Int8 && o.Runtime == nil {
		problems = append(problems, errors.New("precision int8 needs a runtime"))
	}
	return errors.Join(problems...)
}

// Compile writes the model of a checkpoint into folder dir, replacing what is
// there once everything is written. Memory needed is that of a few of the
// largest tensors, for Int8 also that of one layer's runs.
func Compile(ctx context.Context, source Source, dir string, options CompileOptions) (manifest.Manifest, error) {
	options = options.withDefaults()
	if err := errors.Join(options.Validate(), source.Config().ValidateSizes()); err != nil {
		return manifest.Manifest{}, fmt.Errorf("compile model: %w", err)
	}
	var compiled manifest.Manifest
	err := manifest.WriteFolder(dir, func(partial string) (err error) {
		compiled, err = compile(ctx, source, partial, options)
		return err
	})
	if err != nil {
		return manifest.Manifest{}, fmt.Errorf("compile model: %w", err)
	}
	return compiled, nil
}
