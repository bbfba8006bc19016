package quantize

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"mekiki/embed/manifest"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// Graph is a graph of a model.
type Graph struct {
	File  string // in the model's folder
	Build func(*Store) *onnx.Graph
	// Twin says that all products of the graph are those of other graphs: none is
	// chosen by it.
	Twin bool
}

// WriteGraphs writes graphs into the folder dir, closes the data file of the store
// that they share, and describes them all.
func WriteGraphs(ctx context.Context, dir string, weights *Store, graphs []Graph) ([]manifest.File, error) {
	return writeGraphs(ctx, dir, weights, graphs, func(string, *onnx.Graph) {})
}

// writeGraphs is WriteGraphs that tells of each graph as it is written.
func writeGraphs(ctx context.Context, dir string, weights *Store, graphs []Graph, written func(path string, graph *onnx.Graph)) ([]manifest.File, error) {
	var files []manifest.File
	for _, graph := range graphs {
		built := graph.Build(weights)
		if err := built.Write(dir, graph.File); err != nil {
			return nil, closeData(weights.data, err)
		}
		written(filepath.Join(dir, graph.File), built)
		file, err := manifest.Describe(ctx, dir, graph.File)
		if err != nil {
			return nil, closeData(weights.data, err)
		}
		files = append(files, file)
	}
	sum, err := weights.data.Close()
	if err != nil {
		return nil, err
	}
	return append(files, manifest.File{Name: weights.data.Name(), Size: weights.data.Size(), SHA256: sum}), nil
}

// closeData closes the data file after the error that ended its use, if any.
func closeData(data *onnx.DataFile, err error) error {
	_, closing := data.Close()
	return errors.Join(err, closing)
}

// Run runs a graph of a model's folder once for each of runs, which are its inputs
// in their order, and returns the outputs named, or all of them, of each run. Least
// is the least time of a run.
type Run func(ctx context.Context, file string, runs [][]ort.Tensor, outputs ...string) (results [][]ort.Tensor, least time.Duration, err error)

// ports are what a written graph takes and gives.
type ports struct{ inputs, outputs []ort.Value }

// elementTypes are the runtime's names for the types of graphs' inputs and outputs.
var elementTypes = map[onnx.ElementType]ort.Type{onnx.Float32: ort.Float32, onnx.Int64: ort.Int64, onnx.Int32: ort.Int32}

func valuesOf(values []onnx.Value) []ort.Value {
	converted := make([]ort.Value, len(values))
	for i, value := range values {
		converted[i] = ort.Value{Name: value.Name, Type: elementTypes[value.Type]}
		for _, dimension := range value.Shape {
			size := dimension.Size
			if dimension.Name != "" {
				size = -1
			}
			converted[i].Shape = append(converted[i].Shape, size)
		}
	}
	return converted
}

// remember notes what a written graph takes and gives, so that it can be run.
func (t *tuner) remember(path string, graph *onnx.Graph) {
	t.ports[path] = ports{valuesOf(graph.Inputs()), valuesOf(graph.Outputs())}
}

// write writes a graph so that it can be run.
func (t *tuner) write(dir, file string, graph *onnx.Graph) error {
	t.remember(filepath.Join(dir, file), graph)
	return graph.Write(dir, file)
}

// run opens a written graph, runs it as Run says and closes it.
func (t *tuner) run(ctx context.Context, options ort.SessionOptions, runs [][]ort.Tensor, outputs ...string) (results [][]ort.Tensor, least time.Duration, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("run %s: %w", filepath.Base(options.Path), err)
		}
	}()
	known := t.ports[options.Path]
	options.Inputs, options.Threads = known.inputs, t.options.Threads
	options.Outputs = slices.DeleteFunc(slices.Clone(known.outputs), func(output ort.Value) bool {
		return len(outputs) > 0 && !slices.Contains(outputs, output.Name)
	})
	session, err := t.options.Runtime.Session(ctx, options)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	for i, inputs := range runs {
		start := time.Now()
		values, err := session.Run(ctx, inputs...)
		if err != nil {
			return nil, 0, err
		}
		if took := time.Since(start); i == 0 || took < least {
			least = took
		}
		results = append(results, values)
	}
	return results, least, nil
}

// runIn runs the graphs that read what the encoder gives, as they lie in a folder.
// Only the first of the float32 ones, which is timed, gets copies of the weights in
// the kernels' layout: they need as much memory again.
func (t *tuner) runIn(dir string) Run {
	return func(ctx context.Context, file string, runs [][]ort.Tensor, outputs ...string) ([][]ort.Tensor, time.Duration, error) {
		options := ort.SessionOptions{Path: filepath.Join(dir, file), NoPrepack: dir == t.scratch && file != t.model.Graphs.List[0].File}
		return t.run(ctx, options, runs, outputs...)
	}
}
