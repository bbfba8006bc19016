package quantize

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"mekiki/embed/manifest"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// Chain is a graph cut into layers through which samples pass one after another, so
// that one layer's weights are in memory at once.
type Chain struct {
	Graph  Graph  // all of it; without a File it is not written
	Data   string // the file of its weights
	Layers []Layer
	// Begin prepares a sample's state for the first layer, after what the chain before
	// left; nil where there is nothing to do.
	Begin func(sample int, state State)
}

// State is what was computed of a sample, by the names under which layers take it.
type State map[string]ort.Tensor

// StreamName is what each layer takes from the one before.
const StreamName = "layer_input"

// streamOutput is the name under which a layer gives its stream.
const streamOutput = "layer_output"

// Layer is a piece of a chain.
type Layer struct {
	Doing string // what to tell the observer; "" for nothing
	// Build declares as inputs what the layer takes of a state, and returns the stream for
	// the next layer. What it makes an output goes into the state, too.
	Build func(*Store) (graph *onnx.Graph, output onnx.Value)
	// Products are those of the layer, in the order in which they are computed; nil for all
	// that it computes, none of which can be smoothed.
	Products []LayerProduct
	// Eight keeps the products of a language model's layer, such as its head, from 4 bits.
	Eight bool
	// Prompt says that a language model runs the layer once for a prompt, on many rows: its
	// cost is that of multiplying rather than of reading weights.
	Prompt bool
}

// LayerProduct is a product of a layer.
type LayerProduct struct {
	Product
	// Fold divides what gives the product's input by factors, so that its activations
	// can be smoothed; nil where that is not possible.
	Fold func(plan Plan, factors []float32)
}

// progress is the states of the samples after a layer, in float32 and quantised side by
// side.
type progress struct {
	exact, quantized               []State
	exactSeconds, quantizedSeconds float64 // for one sample
}

// newProgress begins with these states.
func newProgress(states []State) *progress {
	return &progress{exact: copyStates(states), quantized: copyStates(states)}
}

func copyStates(states []State) []State {
	list := make([]State, len(states))
	for i, state := range states {
		list[i] = maps.Clone(state)
	}
	return list
}

// writeChain writes a chain, choosing layer by layer what is not chosen yet, and leaves
// in progress what it makes of the samples.
func (t *tuner) writeChain(ctx context.Context, dir string, chain Chain, progress *progress) ([]manifest.File, error) {
	data, err := onnx.CreateDataFile(dir, chain.Data)
	if err != nil {
		return nil, err
	}
	weights := NewStore(ctx, t.source, data, NewPlan(Float32))
	for _, states := range [][]State{progress.exact, progress.quantized} {
		for i := range states {
			if chain.Begin != nil {
				chain.Begin(i, states[i])
			}
		}
	}
	for _, layer := range chain.Layers {
		if layer.Doing != "" {
			t.options.Step(layer.Doing)
		}
		if err := t.tuneLayer(ctx, dir, weights, progress, layer); err != nil {
			return nil, closeData(data, err)
		}
	}
	defer t.freeMemory()
	if chain.Graph.File == "" {
		return nil, closeData(data, os.Remove(filepath.Join(dir, chain.Data)))
	}
	return WriteGraphs(ctx, dir, weights, []Graph{chain.Graph})
}

// Files of the layer that is being run.
const (
	layerData = "layer.bin"
	layerFile = "layer.onnx"
)

// tuneLayer chooses for the products of a layer and runs it in both precisions.
func (t *tuner) tuneLayer(ctx context.Context, dir string, weights *Store, progress *progress, layer Layer) error {
	data, err := onnx.CreateDataFile(t.scratch, layerData)
	if err != nil {
		return err
	}
	exact := NewStore(ctx, t.source, data, Plan{})
	uses, err := t.tapLayer(ctx, exact, &layer, progress.exact[:min(t.choosing, len(progress.exact))])
	if err == nil {
		err = t.chooseLayer(ctx, weights.plan, layer, uses)
	}
	if err == nil {
		err = t.advance(ctx, t.scratch, exact, layer, progress.exact, &progress.exactSeconds)
	}
	if err == nil {
		err = t.advance(ctx, dir, weights, layer, progress.quantized, &progress.quantizedSeconds)
	}
	return closeData(data, err)
}

// advance runs a layer on states, which it changes, and adds up the time of a sample.
func (t *tuner) advance(ctx context.Context, dir string, weights *Store, layer Layer, states []State, seconds *float64) error {
	graph, output := layer.Build(weights)
	graph.Output(streamOutput, output)
	var names []string
	for _, value := range graph.Outputs() {
		names = append(names, value.Name)
	}
	results, least, err := t.runLayer(ctx, dir, weights, graph, states)
	*seconds += least
	for i, result := range results {
		for j, name := range names {
			if name == streamOutput {
				name = StreamName
			}
			states[i][name] = result[j]
		}
	}
	return err
}

// runLayer runs a graph on states, which is written into the folder of the store's data
// for the time of it.
func (t *tuner) runLayer(ctx context.Context, dir string, weights *Store, graph *onnx.Graph, states []State, outputs ...string) ([][]ort.Tensor, float64, error) {
	if err := errors.Join(graph.Err(), weights.data.Flush()); err != nil {
		return nil, 0, err
	}
	if err := t.write(dir, layerFile, graph); err != nil {
		return nil, 0, err
	}
	runs := make([][]ort.Tensor, len(states))
	for i, state := range states {
		for _, input := range graph.Inputs() {
			runs[i] = append(runs[i], state[input.Name])
		}
	}
	path := filepath.Join(dir, layerFile)
	results, least, err := t.run(ctx, ort.SessionOptions{Path: path, NoPrepack: t.language && dir == t.scratch}, runs, outputs...)
	return results, least.Seconds(), errors.Join(err, os.Remove(path))
}

// tapLayer runs a layer in float32 and returns the uses of its products; none where
// all are chosen. It completes what the layer says of its products.
func (t *tuner) tapLayer(ctx context.Context, exact *Store, layer *Layer, states []State) (tapValues, error) {
	tapped := newTaps()
	exact.taps = tapped
	graph, _ := layer.Build(exact)
	exact.taps = nil
	if layer.Products == nil {
		for _, p := range tapped.products {
			layer.Products = append(layer.Products, LayerProduct{Product: p})
		}
	}
	uses := tapValues{}
	if !slices.ContainsFunc(layer.Products, func(p LayerProduct) bool { return t.encoder.open(p.Product) }) {
		return uses, graph.Err()
	}
	tapped.declare(graph)
	results, _, err := t.runLayer(ctx, t.scratch, exact, graph, states, tapped.outputs(tapped.products)...)
	for _, outputs := range results {
		tapped.sort(tapped.products, outputs, uses)
	}
	return uses, err
}

// chooseLayer chooses for the products of a layer by their uses.
func (t *tuner) chooseLayer(ctx context.Context, plan Plan, layer Layer, uses tapValues) error {
	for _, p := range layer.Products {
		chosen, err := t.decide(ctx, plan, t.encoder, p.Product, uses[p.Name()], t.policy(layer, p))
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

// policy is how a product of a chain is chosen.
func (t *tuner) policy(layer Layer, p LayerProduct) policy {
	switch {
	case t.language && layer.Prompt:
		return rowPolicy
	case t.language && t.four && !layer.Eight:
		return block4Policy
	case t.language:
		return blockPolicy
	case p.Fold != nil:
		return smoothPolicy
	}
	return plainPolicy
}
