package blip2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mekiki/embed/checkpoint"
	"mekiki/embed/onnx"
	"mekiki/internal/hint"
)

// Data files of a model folder.
const (
	visionData  = "vision.bin"
	qformerData = "qformer.bin"
)

// calibrationFile lies beside some checkpoints and is passed on.
const calibrationFile = "calibration.json"

// graphBuilder makes one graph from a store's weights.
type graphBuilder func(checkpoint.Config, *store) *onnx.Graph

// namedGraph is a graph of a model folder.
type namedGraph struct {
	file  string
	build graphBuilder
}

// queryGraphs are the graphs that share the Q-Former's data file.
func queryGraphs(captions bool) []namedGraph {
	graphs := []namedGraph{{ImagePartsFile, imagePartsGraph}, {TextFile, textGraph}, {MatchFile, matchGraph},
		{MatchImageFile, matchImageGraph}, {MatchTextFile, matchTextGraph}}
	if captions {
		graphs = append(graphs, namedGraph{CaptionStartFile, captionStartGraph}, namedGraph{CaptionStepFile, captionStepGraph})
	}
	return graphs
}

// compile writes every file of the model into the empty folder dir.
func compile(ctx context.Context, source Source, dir string, options CompileOptions) (Manifest, error) {
	config := source.Config()
	manifest := Manifest{Name: config.Name, Precision: options.Precision, Config: config, HasCaptionHead: hasCaptionHead(source)}
	vocabulary, ok := source.Vocabulary()
	if !ok {
		return Manifest{}, hint.Wrap(errors.New("checkpoint has no vocabulary"), "give the vocab.txt of bert-base-uncased")
	}
	if err := os.WriteFile(filepath.Join(dir, VocabularyFile), vocabulary, 0o644); err != nil {
		return Manifest{}, err
	}
	calibration, err := source.ReadFile(calibrationFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, err
	}
	if err == nil {
		if !json.Valid(calibration) {
			return Manifest{}, fmt.Errorf("%s is not JSON", calibrationFile)
		}
		manifest.Calibration = calibration
	}
	if err := writeModel(ctx, source, dir, options, &manifest); err != nil {
		return Manifest{}, err
	}
	file, err := describeFile(dir, VocabularyFile)
	if err != nil {
		return Manifest{}, err
	}
	manifest.Files = append(manifest.Files, file)
	return writeManifest(dir, manifest)
}

// writeModel writes the graphs in the precision asked for.
func writeModel(ctx context.Context, source Source, dir string, options CompileOptions, manifest *Manifest) error {
	if options.Precision == Int8 {
		return writeInt8(ctx, source, dir, options, manifest)
	}
	steps := newSteps(options, 2)
	steps.next("vision encoder")
	vision, err := writeGraphs(ctx, source, dir, visionData, newPlan(methodFloat), visionGraphs())
	if err != nil {
		return err
	}
	steps.next("query transformer")
	former, err := writeGraphs(ctx, source, dir, qformerData, newPlan(methodFloat), queryGraphs(manifest.HasCaptionHead))
	manifest.Files = append(append(manifest.Files, vision...), former...)
	return err
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
	s.tell(Step{Doing: doing, Done: min(s.done, s.total), Total: s.total})
}

// visionGraphs are the graphs that share the vision encoder's data file.
func visionGraphs() []namedGraph { return []namedGraph{{VisionFile, visionGraph}} }

// writeGraphs writes graphs and the data file that they share.
func writeGraphs(ctx context.Context, source Source, dir, dataName string, plan plan, graphs []namedGraph) ([]File, error) {
	data, err := onnx.CreateDataFile(dir, dataName)
	if err != nil {
		return nil, err
	}
	return finishGraphs(dir, newStore(ctx, source, data, plan), source.Config(), graphs)
}

// finishGraphs writes graphs, closes the data file of their store, and
// describes them all.
func finishGraphs(dir string, weights *store, config checkpoint.Config, graphs []namedGraph) ([]File, error) {
	data := weights.data
	var files []File
	for _, named := range graphs {
		if err := named.build(config, weights).Write(dir, named.file); err != nil {
			return nil, closeData(data, err)
		}
		file, err := describeFile(dir, named.file)
		if err != nil {
			return nil, closeData(data, err)
		}
		files = append(files, file)
	}
	sum, err := data.Close()
	if err != nil {
		return nil, err
	}
	return append(files, File{Name: data.Name(), Size: data.Size(), SHA256: sum}), nil
}
