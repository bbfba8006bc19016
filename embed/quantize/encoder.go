package quantize

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"mekiki/embed/manifest"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// Encoder is the part of a model through whose layers the samples pass one after
// another, so that one layer's weights are in memory at once.
type Encoder struct {
	Graph Graph        // all of it
	Data  string       // the file of its weights
	Input []ort.Tensor // of the first layer, for each sample
	// Layers lead from Input to what the graph gives, each from what the one before
	// gave.
	Layers []Layer
}

// Layer is a piece of an encoder with one input and one output.
type Layer struct {
	Doing    string // what to tell the observer; "" for nothing
	Build    func(*Store) (graph *onnx.Graph, output onnx.Value)
	Products []LayerProduct // in the order in which they are computed
}

// LayerProduct is a product of a layer.
type LayerProduct struct {
	Product
	// Fold divides what gives the product's input by factors, so that its activations
	// can be smoothed; nil where that is not possible.
	Fold func(plan Plan, factors []float32)
}

// encoded is the encoder's progress over the samples, in float32 and in int8 side
// by side.
type encoded struct {
	exact, quantized               []ort.Tensor // what the last layer gave
	exactSeconds, quantizedSeconds float64      // for one sample
}

// writeEncoder writes the encoder, choosing layer by layer what is not chosen yet,
// and returns what it makes of the samples in both precisions.
func (t *tuner) writeEncoder(ctx context.Context, dir string) (encoded, []manifest.File, error) {
	encoder := t.model.Encoder
	data, err := onnx.CreateDataFile(dir, encoder.Data)
	if err != nil {
		return encoded{}, nil, err
	}
	weights := NewStore(ctx, t.source, data, NewPlan(Float32))
	progress := encoded{exact: encoder.Input, quantized: encoder.Input}
	for _, layer := range encoder.Layers {
		if layer.Doing != "" {
			t.options.Step(layer.Doing)
		}
		if err := t.tuneLayer(ctx, dir, weights, &progress, layer); err != nil {
			return encoded{}, nil, closeData(data, err)
		}
	}
	files, err := WriteGraphs(ctx, dir, weights, []Graph{encoder.Graph})
	t.freeMemory()
	return progress, files, err
}

// Files of the layer that is being run.
const (
	layerData = "layer.bin"
	layerFile = "layer.onnx"
)

// tuneLayer chooses for the products of a layer and runs it in both precisions.
func (t *tuner) tuneLayer(ctx context.Context, dir string, weights *Store, progress *encoded, layer Layer) error {
	data, err := onnx.CreateDataFile(t.scratch, layerData)
	if err != nil {
		return err
	}
	exact := NewStore(ctx, t.source, data, Plan{})
	uses, err := t.tapLayer(ctx, exact, layer, progress.exact[:min(choosingSamples, len(progress.exact))])
	if err == nil {
		err = t.chooseLayer(ctx, weights.plan, layer, uses)
	}
	if err == nil {
		progress.exact, err = t.advance(ctx, t.scratch, exact, layer, progress.exact, &progress.exactSeconds)
	}
	if err == nil {
		progress.quantized, err = t.advance(ctx, dir, weights, layer, progress.quantized, &progress.quantizedSeconds)
	}
	return closeData(data, err)
}

// advance runs a layer on what the one before gave and adds up the time of a sample.
func (t *tuner) advance(ctx context.Context, dir string, weights *Store, layer Layer, inputs []ort.Tensor, seconds *float64) ([]ort.Tensor, error) {
	graph, output := layer.Build(weights)
	graph.Output("layer_output", output)
	results, least, err := t.runLayer(ctx, dir, weights, graph, inputs)
	*seconds += least
	outputs := make([]ort.Tensor, len(results))
	for i, result := range results {
		outputs[i] = result[0]
	}
	return outputs, err
}

// runLayer runs a graph of one input, which is written into the folder of the
// store's data for the time of it.
func (t *tuner) runLayer(ctx context.Context, dir string, weights *Store, graph *onnx.Graph, inputs []ort.Tensor) ([][]ort.Tensor, float64, error) {
	if err := errors.Join(graph.Err(), weights.data.Flush()); err != nil {
		return nil, 0, err
	}
	if err := t.write(dir, layerFile, graph); err != nil {
		return nil, 0, err
	}
	runs := make([][]ort.Tensor, len(inputs))
	for i, input := range inputs {
		runs[i] = []ort.Tensor{input}
	}
	path := filepath.Join(dir, layerFile)
	results, least, err := t.run(ctx, ort.SessionOptions{Path: path}, runs)
	return results, least.Seconds(), errors.Join(err, os.Remove(path))
}

// tapLayer runs a layer in float32 and returns the uses of its products; none where
// all are chosen.
func (t *tuner) tapLayer(ctx context.Context, exact *Store, layer Layer, inputs []ort.Tensor) (tapValues, error) {
	uses := tapValues{}
	if !slices.ContainsFunc(layer.Products, func(p LayerProduct) bool { return t.encoder.open(p.Product) }) {
		return uses, nil
	}
	tapped := newTaps()
	exact.taps = tapped
	graph, _ := layer.Build(exact)
	exact.taps = nil
	tapped.declare(graph)
	results, _, err := t.runLayer(ctx, t.scratch, exact, graph, inputs)
	for _, outputs := range results {
		tapped.sort(tapped.products, outputs, uses)
	}
	return uses, err
}

// chooseLayer chooses for the products of a layer by their uses.
func (t *tuner) chooseLayer(ctx context.Context, plan Plan, layer Layer, uses tapValues) error {
	for _, p := range layer.Products {
		candidates := plainCandidates
		if p.Fold != nil {
			candidates = smoothCandidates
		}
		chosen, err := t.decide(ctx, plan, t.encoder, p.Product, uses[p.Name()], candidates)
		if err != nil {
			return err
		}
		if chosen.factors != nil {
			plan.rows[p.Name()] = chosen.factors
			p.Fold(plan, chosen.factors)
		}
	}
	return nil
}
