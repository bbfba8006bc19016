package blip2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"mekiki/embed/checkpoint"
	"mekiki/embed/language"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/quantize"
	"mekiki/internal/hint"
)

// Source is what Compile reads; *checkpoint.Checkpoint is one.
type Source interface {
	quantize.Weights
	// Config is the sizes of the model.
	Config() modelconfig.Config
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
	// Precision is, when empty, manifest.Int4 for a second stage and manifest.Int8 for a
	// first one, which cannot be had in Int4.
	Precision manifest.Precision
	// SharedVision leaves out the vision encoder of a second stage: image tokens come
	// from another model, whose manifest has the same Vision.
	SharedVision bool
	// Fast merges tokens in the vision encoder that are like each other (arXiv 2210.09461), which makes it faster and its
	// results a little less exact; modelconfig.Vision.Merged of the model says how many in each layer. A model without
	// a vision encoder of its own is the same with it.
	Fast bool
	// Runtime runs the samples by which Int8 and Int4 choose layer by layer; it is
	// needed for these only.
	Runtime *ort.Runtime
	// Threads bounds the threads of those runs; 0 means all processors.
	Threads int
	// Samples are images to choose and check by, as pixels [3 S S] normalised
	// for the model; without any, drawn patterns are used.
	Samples [][]float32
	// Texts are token ids to choose and check by; without any, drawn ids are used.
	Texts [][]int64
	// Continuations are texts about the samples, as tokens of the language model, to
	// choose and check by; without any, sentences are used.
	Continuations [][]int64
	// Progress is told of every step, from one goroutine; it may be nil.
	Progress func(Step)
	// Logger receives what was chosen; nil is silent.
	Logger *slog.Logger
}

func (o CompileOptions) withDefaults(config modelconfig.Config) CompileOptions {
	if o.Precision == "" {
		o.Precision = manifest.Int8
		if config.Language != nil {
			o.Precision = manifest.Int4
		}
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
	if !o.Precision.Suits(true) && !o.Precision.Suits(false) {
		problems = append(problems, fmt.Errorf("unknown precision %q", o.Precision))
	}
	if o.Precision.Sampled() && o.Runtime == nil {
		problems = append(problems, fmt.Errorf("precision %s needs a runtime", o.Precision))
	}
	return errors.Join(problems...)
}

// Compile writes the model of a checkpoint into folder dir, replacing what is
// there once everything is written. Memory needed is that of a few of the
// largest tensors, for Int8 also that of one layer's runs.
func Compile(ctx context.Context, source Source, dir string, options CompileOptions) (manifest.Manifest, error) {
	options = options.withDefaults(source.Config())
	if options.Fast && !options.SharedVision {
		source = mergingSource{source}
	}
	err := errors.Join(options.Validate(), source.Config().ValidateSizes())
	if source.Config().Language == nil && !options.Precision.Suits(false) && options.Precision.Suits(true) {
		err = errors.Join(err, fmt.Errorf("precision %s is for models with a language model", options.Precision))
	}
	if err != nil {
		return manifest.Manifest{}, fmt.Errorf("compile model: %w", err)
	}
	return manifest.WriteFolder(dir, func(partial string) (manifest.Manifest, error) {
		return compile(ctx, source, partial, options)
	})
}

// Data files of a model folder.
const (
	visionData  = "vision.bin"
	qformerData = "qformer.bin"
)

// calibrationFile lies beside some checkpoints and is passed on.
const calibrationFile = "calibration.json"

// visionGraphOf is the graph of the vision encoder, which has a data file of its own.
func visionGraphOf(config modelconfig.Config) quantize.Graph {
	return quantize.Graph{File: manifest.VisionFile, Build: func(weights *quantize.Store) *onnx.Graph { return visionGraph(config, weights) }}
}

// heads are those of a checkpoint that not all have.
type heads struct{ match, caption bool }

func headsOf(source Source) heads {
	return heads{match: source.Has(matchHead + ".weight"), caption: hasCaptionHead(source)}
}

// queryGraphs are the graphs that share the Q-Former's data file.
func queryGraphs(config modelconfig.Config, heads heads) []quantize.Graph {
	var graphs []quantize.Graph
	add := func(file string, build func(modelconfig.Config, *quantize.Store) *onnx.Graph, twin bool) {
		graphs = append(graphs, quantize.Graph{File: file, Twin: twin,
			Build: func(weights *quantize.Store) *onnx.Graph { return build(config, weights) }})
	}
	add(manifest.ImagePartsFile, imagePartsGraph, false)
	add(manifest.TextFile, textGraph, false)
	if heads.match {
		add(manifest.MatchFile, matchGraph, false)
		add(manifest.MatchImageFile, matchImageGraph, true) // together with the next the match graph
		add(manifest.MatchTextFile, matchTextGraph, true)
	}
	if heads.caption {
		add(manifest.CaptionStartFile, captionStartGraph, false)
		add(manifest.CaptionStepFile, captionStepGraph, false)
	}
	return graphs
}

// compile writes every file of the model into the empty folder dir.
func compile(ctx context.Context, source Source, dir string, options CompileOptions) (manifest.Manifest, error) {
	config := source.Config()
	hashed := newHashedSource(source)
	compiled := manifest.Manifest{Family: manifest.FirstFamily, Name: config.Name, Precision: options.Precision, Config: config}
	files, err := writeSettings(ctx, hashed, dir, &compiled)
	if err != nil {
		return compiled, err
	}
	write := writeInt8
	switch {
	case !options.Precision.Sampled():
		write = writeFloats
	case config.Language != nil:
		write = writeQuantizedSecond
	}
	err = write(ctx, hashed, dir, options, &compiled)
	if err != nil {
		return compiled, err
	}
	compiled.Files = append(compiled.Files, files...)
	if compiled.Vision, compiled.VisionNorm, err = hashed.vision(ctx); err != nil {
		return compiled, err
	}
	return manifest.Write(dir, compiled)
}

// writeSettings writes what is not computed with: the vocabulary and, of a second stage,
// the tokenizer and the token embedding. It takes the calibration into the manifest.
func writeSettings(ctx context.Context, source Source, dir string, compiled *manifest.Manifest) ([]manifest.File, error) {
	if source.Config().Language != nil {
		return writeSecond(ctx, source, dir)
	}
	compiled.HasCaptionHead = hasCaptionHead(source)
	calibration, err := source.ReadFile(calibrationFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		if !json.Valid(calibration) {
			return nil, fmt.Errorf("%s is not JSON", calibrationFile)
		}
		compiled.Calibration = calibration
	}
	if err := writeVocabulary(source, dir); err != nil {
		return nil, err
	}
	return describeAll(ctx, dir, []string{manifest.VocabularyFile})
}

// writeVocabulary writes the Q-Former's vocabulary.
func writeVocabulary(source Source, dir string) error {
	vocabulary, ok := source.Vocabulary()
	if !ok {
		return hint.Wrap(errors.New("checkpoint has no vocabulary"), "give the vocab.txt of bert-base-uncased")
	}
	return os.WriteFile(filepath.Join(dir, manifest.VocabularyFile), vocabulary, 0o644)
}

// steps counts the steps of a compilation for its observer.
type steps struct {
	tell        func(Step)
	done, total int
}

func newSteps(options CompileOptions, total int) *steps {
	return &steps{tell: options.Progress, total: total, done: -1}
}

// next says what begins now; everything before is finished.
func (s *steps) next(doing string) {
	s.done++
	s.total = max(s.total, s.done+1) // some of them are taken again where a check says so
	s.tell(Step{Doing: doing, Done: s.done, Total: s.total})
}

// part is graphs with a data file of their own.
type part struct {
	doing, data string
	graphs      []quantize.Graph
}

// parts lists the parts of a model in float32.
func parts(source Source, options CompileOptions) []part {
	config := source.Config()
	vision := part{"vision encoder", visionData, []quantize.Graph{visionGraphOf(config)}}
	former := part{"query transformer", qformerData, nil}
	if config.Language == nil {
		former.graphs = queryGraphs(config, headsOf(source))
		return []part{vision, former}
	}
	former.graphs = secondGraphs(config)
	list := append([]part{vision, former}, languageParts(*config.Language)...)
	if options.SharedVision {
		return list[1:]
	}
	return list
}

// halfPlan computes all in half precision but what would not fit into it.
func halfPlan(config modelconfig.Config) quantize.Plan {
	plan := quantize.NewPlan(quantize.Half)
	if config.Language != nil {
		for _, name := range language.FloatProducts(*config.Language) {
			plan.Choose(name, quantize.Float32)
		}
	}
	return plan
}

// writeFloats writes the graphs in float32 or half precision.
func writeFloats(ctx context.Context, source Source, dir string, options CompileOptions, compiled *manifest.Manifest) error {
	list := parts(source, options)
	steps := newSteps(options, len(list))
	plan := quantize.NewPlan(quantize.Float32)
	if options.Precision == manifest.Half {
		plan = halfPlan(source.Config())
	}
	for _, part := range list {
		steps.next(part.doing)
		data, err := onnx.CreateDataFile(dir, part.data)
		if err != nil {
			return err
		}
		files, err := quantize.WriteGraphs(ctx, dir, quantize.NewStore(ctx, source, data, plan), part.graphs)
		if err != nil {
			return err
		}
		compiled.Files = append(compiled.Files, files...)
	}
	return nil
}
