package marian

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"mekiki/embed/language"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/quantize"
	tokenizers "mekiki/embed/tokenize/language"
	"mekiki/internal/hint"
)

// Source is what Compile reads; *checkpoint.Checkpoint is one.
type Source interface {
	quantize.Weights
	// Config is the sizes of the model.
	Config() modelconfig.Config
	// ReadFile reads a small file beside the weights.
	ReadFile(name string) ([]byte, error)
}

// Options says how to compile.
type Options struct {
	// Precision is manifest.Int8 when empty.
	Precision manifest.Precision
	// Runtime runs the samples by which products are chosen; manifest.Float32 needs none.
	Runtime *ort.Runtime
	// Threads bounds the threads of those runs; 0 means all processors.
	Threads int
	// Step is told what begins, from one goroutine; it may be nil.
	Step func(doing string)
	// Logger receives what was chosen; nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Precision == "" {
		o.Precision = manifest.Int8
	}
	if o.Step == nil {
		o.Step = func(string) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Precision == manifest.Half {
		return o, fmt.Errorf("precision %s is not for models that translate", o.Precision)
	}
	if o.Precision != manifest.Float32 && o.Runtime == nil {
		return o, fmt.Errorf("precision %s needs a runtime", o.Precision)
	}
	return o, nil
}

// Compile writes the model of a checkpoint into folder dir, replacing what is there once everything is written.
func Compile(ctx context.Context, source Source, dir string, options Options) (manifest.Manifest, error) {
	options, err := options.withDefaults()
	if err != nil {
		return manifest.Manifest{}, fmt.Errorf("compile model: %w", err)
	}
	return manifest.WriteFolder(dir, func(partial string) (manifest.Manifest, error) {
		return compile(ctx, source, partial, options)
	})
}

// compile writes every file of the model into the empty folder dir.
func compile(ctx context.Context, source Source, dir string, options Options) (manifest.Manifest, error) {
	config := source.Config()
	compiled := manifest.Manifest{Family: familyName, Name: config.Name, Precision: options.Precision, Config: config}
	if err := language.Check(*config.Language); err != nil {
		return compiled, err
	}
	names, err := writeTokenizer(source, dir)
	if err != nil {
		return compiled, err
	}
	options.Step("token embedding")
	if err := language.WriteEmbeddingsFile(ctx, *config.Language, source, dir); err != nil {
		return compiled, err
	}
	if options.Precision == manifest.Float32 {
		err = writeFloat32(ctx, source, dir, options, &compiled)
	} else {
		err = writeQuantized(ctx, source, dir, options, &compiled)
	}
	if err != nil {
		return compiled, err
	}
	for _, name := range append(names, manifest.EmbeddingsFile) {
		file, err := manifest.Describe(ctx, dir, name)
		if err != nil {
			return compiled, err
		}
		compiled.Files = append(compiled.Files, file)
	}
	return manifest.Write(dir, compiled)
}

// writeTokenizer copies the tokenizer's files, and makes sure that they can be read.
func writeTokenizer(source Source, dir string) (names []string, err error) {
	names, err = tokenizers.Copy(source.ReadFile, dir)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, "source.spm") || !slices.Contains(names, "vocab.json") {
		return nil, hint.Wrap(errors.New("checkpoint has no tokenizer"), "put source.spm, target.spm and vocab.json beside its weights")
	}
	return names, nil
}

// writeFloat32 writes the graphs in float32, each with a data file.
func writeFloat32(ctx context.Context, source Source, dir string, options Options, compiled *manifest.Manifest) error {
	for _, graph := range language.Graphs(*source.Config().Language) {
		options.Step("graph " + graph.File)
		data, err := onnx.CreateDataFile(dir, language.DataOf(graph.File))
		if err != nil {
			return err
		}
		files, err := quantize.WriteGraphs(ctx, dir, quantize.NewStore(ctx, source, data, quantize.Plan{}), []quantize.Graph{graph})
		if err != nil {
			return err
		}
		compiled.Files = append(compiled.Files, files...)
	}
	return nil
}

// writeQuantized writes the graphs in 8 or 4 bits, chosen product by product on sentences.
func writeQuantized(ctx context.Context, source Source, dir string, options Options, compiled *manifest.Manifest) error {
	config := *source.Config().Language
	samples, err := newSamples(source)
	if err != nil {
		return err
	}
	embeddings, table, err := manifest.OpenEmbeddings(config, dir)
	if err != nil {
		return err
	}
	defer table.Close()
	chains, states, judged, err := language.Chains(config, samples, embeddings)
	if err != nil {
		return err
	}
	result, err := quantize.WriteLanguage(ctx, quantize.LanguageModel{
		Weights: source, Chains: chains, Samples: states, Judged: judged, Four: options.Precision == manifest.Int4,
	}, dir, quantize.Options{Runtime: options.Runtime, Threads: options.Threads, Step: options.Step, Logger: options.Logger})
	if err != nil {
		return err
	}
	compiled.Files, compiled.Quantization, compiled.SelfCheck = result.Files, result.Choices, &result.Check
	return nil
}
