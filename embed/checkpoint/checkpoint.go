package checkpoint

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
)

// ErrNotFound says that a checkpoint holds no tensor of the given name.
var ErrNotFound = errors.New("no such tensor")

// Options says what to open. Exactly one of FS and Paths is set.
type Options struct {
	// FS is a Hugging Face folder given as a file system; its files must implement io.ReaderAt, as those of os.DirFS
	// and of the standard embed package do.
	FS fs.FS
	// Paths is one Hugging Face folder, or LAVIS .pth files in any order: one whole checkpoint, or a stage-1 checkpoint
	// and its vision file. A config.json among them gives the sizes that tensor shapes cannot tell.
	Paths []string
	// VocabularyPath is the vocab.txt to use when the source has none, as with LAVIS files: that of bert-base-uncased.
	VocabularyPath string
	// ImageSize, when positive, asks for another side of the square input than the checkpoint's own; the position
	// embedding is interpolated to it. It must be a multiple of the patch size.
	ImageSize int
	// Name replaces the name derived from the source.
	Name string
	// AllowExtra accepts tensors that the architecture does not know; without it they are an error.
	AllowExtra bool
	// Logger receives what was ignored; nil is silent.
	Logger *slog.Logger
}

// Checkpoint is an open checkpoint. Its methods may be called concurrently, Close excepted.
type Checkpoint struct {
	config Config
}

// Open opens a checkpoint and checks that every tensor of the architecture is there in its shape. No values are read.
func Open(ctx context.Context, options Options) (*Checkpoint, error) {
	return nil, errors.New("open checkpoint: not written yet")
}

// Config returns the sizes of the model.
func (c *Checkpoint) Config() Config { return c.config }

// Has reports whether the checkpoint holds the tensor of this canonical name.
func (c *Checkpoint) Has(name string) bool { return false }

// HasCaptionHead reports whether the checkpoint holds the language-model head that captions need.
func (c *Checkpoint) HasCaptionHead() bool { return false }

// Shape returns the shape of a tensor; the slice is the caller's.
func (c *Checkpoint) Shape(name string) ([]int, bool) { return nil, false }

// Names returns the canonical names of all tensors in the order of the architecture.
func (c *Checkpoint) Names() []string { return nil }

// Float32 reads one tensor, converted to float32, in row-major order. A NaN or an infinity is an error that names the
// tensor. The slice is the caller's.
func (c *Checkpoint) Float32(ctx context.Context, name string) ([]float32, error) {
	return nil, ErrNotFound
}

// Vocabulary returns the WordPiece vocabulary in the form of vocab.txt, one token a line, with [DEC] and any other added
// tokens appended so that line numbers are token ids; false when the source has none and no path was given.
func (c *Checkpoint) Vocabulary() ([]byte, bool) { return nil, false }

// ReadFile reads a small file (at most 16 MiB) that lies beside the weights in a folder, such as calibration.json. The
// error satisfies errors.Is(err, fs.ErrNotExist) when there is none.
func (c *Checkpoint) ReadFile(name string) ([]byte, error) { return nil, fs.ErrNotExist }

// Close releases the files.
func (c *Checkpoint) Close() error { return nil }
