package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/modelconfig"
)

// ErrNotFound says that a checkpoint holds no tensor of the given name.
var ErrNotFound = errors.New("no such tensor")

// Options says what to open. Exactly one of FS and Paths is set.
type Options struct {
	// FS is a Hugging Face folder given as a file system; its files must implement io.ReaderAt, as those of os.DirFS
	// and of the standard embed package do.
	FS fs.FS
	// Paths is one Hugging Face folder, or LAVIS .pth files in any order: one whole checkpoint, or a stage-1 checkpoint
	// and its vision file, or a stage-2 checkpoint, its vision file and its language model's own folder. A config.json
	// among them gives the sizes that tensor shapes cannot tell.
	Paths []string
	// Vision gives the vision encoder where the source has none of its own, as the built-in second stage, which takes the
	// first stage's. It must stay open as long as the checkpoint that is opened, and is not closed with it.
	Vision *Checkpoint
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
	config     modelconfig.Config
	source     *source
	names      []string
	tensors    map[string]*tensor
	vocabulary []byte
	borrows    bool // the vision encoder of Options.Vision
}

// Open opens a checkpoint and checks that every tensor of the architecture is there in its shape; if not, the error is a
// *MismatchError that names them. Values are read only to decide whether a head shares the word embedding.
func Open(ctx context.Context, options Options) (*Checkpoint, error) {
	checkpoint, err := open(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("open checkpoint: %w", err)
	}
	return checkpoint, nil
}

func open(ctx context.Context, options Options) (_ *Checkpoint, err error) {
	logger := options.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	source, err := openSource(options)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, source.close())
		}
	}()
	translates, err := source.translates()
	if err != nil {
		return nil, err
	}
	newHoldings, configure := newHoldings, configure
	if translates {
		newHoldings, configure = newTranslatorHoldings, configureTranslator
	}
	held, err := newHoldings(source)
	if err != nil {
		return nil, err
	}
	config, err := configure(ctx, source, held, options)
	if err != nil {
		return nil, err
	}
	checkpoint := &Checkpoint{config: config, source: source, borrows: held.borrowed != nil}
	checkpoint.names, checkpoint.tensors, err = resolve(ctx, config, source, held, options, logger)
	if err != nil || translates {
		return checkpoint, err
	}
	var dropped []string
	checkpoint.vocabulary, dropped, err = vocabularyOf(config, source, options)
	if err != nil {
		return nil, err
	}
	if len(dropped) > 0 {
		logger.InfoContext(ctx, "added tokens without a row in the word embedding were left out", "tokens", abridge(dropped))
	}
	return checkpoint, nil
}

// CheckSettings checks the small files of a Hugging Face folder, given as options.FS, whose weights are not there yet:
// configuration, processor, vocabulary and the index of shards. It returns the configuration as far as these tell it, and
// the zero one for a folder that has no config.json, as LAVIS files have none.
func CheckSettings(options Options) (modelconfig.Config, error) {
	config, err := readSmall(options.FS, configFile)
	if err != nil {
		return modelconfig.Config{}, ignoreMissing(err)
	}
	source := &source{name: "the checkpoint", base: "checkpoint", folder: options.FS, config: config}
	shards, err := source.readIndex()
	if err != nil {
		return modelconfig.Config{}, err
	}
	held := &holdings{byName: map[string]*weights.Tensor{}}
	if translates, err := source.translates(); err != nil || translates {
		if err != nil {
			return modelconfig.Config{}, err
		}
		return configureTranslator(context.Background(), source, held, options) // which reads no tensor here
	}
	for name := range shards.files {
		held.second = held.second || tensors.OfLanguageModel(name)
	}
	// No tensor has been read, so ctx has nothing to end.
	sizes, err := configure(context.Background(), source, held, options)
	if err != nil {
		return modelconfig.Config{}, err
	}
	if _, _, err := vocabularyOf(sizes, source, options); err != nil {
		return modelconfig.Config{}, err
	}
	_, err = shards.names()
	return sizes, err
}

// Config returns the sizes of the model.
func (c *Checkpoint) Config() modelconfig.Config { return c.config }

// Has reports whether the checkpoint holds the tensor of this canonical name.
func (c *Checkpoint) Has(name string) bool {
	_, ok := c.tensors[name]
	return ok
}

// HasCaptionHead reports whether the checkpoint holds the language-model head that captions need.
func (c *Checkpoint) HasCaptionHead() bool { return c.Has(tensors.PredictionBias) }

// Shape returns the shape of a tensor; the slice is the caller's.
func (c *Checkpoint) Shape(name string) ([]int, bool) {
	tensor, ok := c.tensors[name]
	if !ok {
		return nil, false
	}
	return slices.Clone(tensor.shape), true
}

// Names returns the canonical names of all tensors in the order of the architecture.
func (c *Checkpoint) Names() []string { return slices.Clone(c.names) }

// Float32 reads one tensor, converted to float32, in row-major order. A NaN or an infinity is an error that names the
// tensor. The slice is the caller's.
func (c *Checkpoint) Float32(ctx context.Context, name string) ([]float32, error) {
	tensor, ok := c.tensors[name]
	if !ok {
		return nil, fmt.Errorf("read tensor %s: %w", name, ErrNotFound)
	}
	return tensor.read(ctx)
}

// Verify reads every tensor and reports all that cannot be read or hold a NaN or an infinity.
func (c *Checkpoint) Verify(ctx context.Context) error {
	var problems []error
	for _, name := range c.names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := c.tensors[name].read(ctx); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// Vocabulary returns the WordPiece vocabulary in the form of vocab.txt, one token a line, with [DEC] and any other added
// tokens appended so that line numbers are token ids; false when the source has none and no path was given.
func (c *Checkpoint) Vocabulary() ([]byte, bool) {
	return slices.Clone(c.vocabulary), c.vocabulary != nil
}

// ReadFile reads a small file (at most 16 MiB) that lies beside the weights, such as calibration.json; where the language
// model has a folder of its own, one that lies there goes first. The error satisfies errors.Is(err, fs.ErrNotExist) when
// there is none.
func (c *Checkpoint) ReadFile(name string) ([]byte, error) {
	if c.source.languageFolder != nil {
		if data, err := readSmall(c.source.languageFolder, name); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return readSmall(c.source.folder, name)
}

// Close releases the files.
func (c *Checkpoint) Close() error { return c.source.close() }
