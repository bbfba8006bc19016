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
	graphs := []namedGraph{{ImagePartsFile, imagePartsGraph}, {TextFile, textGraph}, {MatchFile, matchGraph}}
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
	vision, former := newPlan(methodFloat), newPlan(methodFloat)
	visionFiles, err := writeGraphs(ctx, source, dir, visionData, vision, []namedGraph{{VisionFile, visionGraph}})
	if err != nil {
		return Manifest{}, err
	}
	formerFiles, err := writeGraphs(ctx, source, dir, qformerData, former, queryGraphs(manifest.HasCaptionHead))
	if err != nil {
		return Manifest{}, err
	}
	manifest.Files = append(visionFiles, formerFiles...)
	file, err := describeFile(dir, VocabularyFile)
	if err != nil {
		return Manifest{}, err
	}
	manifest.Files = append(manifest.Files, file)
	return writeManifest(dir, manifest)
}

// writeGraphs writes graphs and the data file that they share.
func writeGraphs(ctx context.Context, source Source, dir, dataName string, plan plan, graphs []namedGraph) ([]File, error) {
	data, err := onnx.CreateDataFile(dir, dataName)
	if err != nil {
		return nil, err
	}
	weights := newStore(ctx, source, data, plan)
	var files []File
	for _, named := range graphs {
		if err := named.build(source.Config(), weights).Write(dir, named.file); err != nil {
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
	return append(files, File{Name: dataName, Size: data.Size(), SHA256: sum}), nil
}
