package blip2

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"mekiki/embed/checkpoint"
	"mekiki/embed/ort"
)

// Weights gives the tensors of a checkpoint by their canonical names.
type Weights interface {
	// Has reports whether there is a tensor of this name.
	Has(name string) bool
	// Shape is the tensor's shape, outermost dimension first.
	Shape(name string) ([]int, bool)
	// Float32 reads a tensor, row-major. The slice is the caller's.
	Float32(ctx context.Context, name string) ([]float32, error)
}

// Source is what Compile reads; *checkpoint.Checkpoint is one.
type Source interface {
	Weights
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
	// Precision is Int8 when empty.
	Precision Precision
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
		o.Precision = Int8
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
	if o.Precision != Float32 && o.Precision != Int8 {
		problems = append(problems, fmt.Errorf("unknown precision %q", o.Precision))
	}
	if o.Precision == Int8 && o.Runtime == nil {
		problems = append(problems, errors.New("precision int8 needs a runtime"))
	}
	return errors.Join(problems...)
}

// Compile writes the model of a checkpoint into folder dir, replacing what is
// there once everything is written. Memory needed is that of a few of the
// largest tensors, for Int8 also that of one layer's runs.
func Compile(ctx context.Context, source Source, dir string, options CompileOptions) (Manifest, error) {
	options = options.withDefaults()
	if err := errors.Join(options.Validate(), validateConfig(source.Config())); err != nil {
		return Manifest{}, fmt.Errorf("compile model: %w", err)
	}
	partial := filepath.Clean(dir) + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return Manifest{}, fmt.Errorf("compile model: %w", err)
	}
	if err := os.MkdirAll(partial, 0o755); err != nil {
		return Manifest{}, fmt.Errorf("compile model: %w", err)
	}
	manifest, err := compile(ctx, source, partial, options)
	if err == nil {
		err = syncFolder(partial)
	}
	if err == nil {
		err = replaceFolder(partial, dir)
	}
	if err != nil {
		_ = os.RemoveAll(partial)
		return Manifest{}, fmt.Errorf("compile model: %w", err)
	}
	return manifest, nil
}

// syncFolder makes the files of a folder survive a power loss.
func syncFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		file, err := os.OpenFile(filepath.Join(dir, entry.Name()), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			return fmt.Errorf("sync %s: %w", file.Name(), err)
		}
	}
	return nil
}

// asideSuffix ends the name to which a model is moved while a new one takes its
// place.
const asideSuffix = ".old"

// replaceFolder moves the folder from over the folder to. When it is interrupted
// between the two renames, Restore finishes or undoes it.
func replaceFolder(from, to string) error {
	aside := filepath.Clean(to) + asideSuffix
	if _, err := os.Lstat(to); err == nil {
		if err := os.RemoveAll(aside); err != nil {
			return err
		}
		if err := os.Rename(to, aside); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return os.RemoveAll(aside)
}

// Restore puts a model back that a Compile into folder dir moved aside and, being
// killed, did not replace. It does nothing where dir is there. No Compile into dir
// may be at work.
func Restore(dir string) error {
	aside := filepath.Clean(dir) + asideSuffix
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	manifest, err := ReadManifest(aside)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = manifest.CheckSizes(aside)
	}
	if err != nil {
		return fmt.Errorf("restore model: %w", err)
	}
	return os.Rename(aside, dir)
}
