package quantize

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mekiki/embed/manifest"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// Graphs are the part of a model that reads what the encoder gives, or nothing of
// it. They share their weights.
type Graphs struct {
	Name string // for the observer
	Data string // the file of their weights
	// List has them all. The first is timed, and its runs alone decide on products
	// that read what the encoder gives, whose rows are many and which all graphs read
	// alike.
	List    []Graph
	Encoded string   // the name of the input that takes what the encoder gives
	Float32 []string // products that stay in float32
	// Samples gives the inputs of runs by which to choose, for each graph's file, from
	// what the encoder gives; a graph without any decides nothing.
	Samples func(ctx context.Context, run Run, encoded []ort.Tensor) (map[string][][]ort.Tensor, error)
	// Results runs the samples through the graphs of one precision.
	Results func(ctx context.Context, run Run, encoded []ort.Tensor) (Results, error)
}

// tappedGraph is a float32 graph whose products' inputs and outputs can be read.
type tappedGraph struct {
	file string
	*taps
	runs [][]ort.Tensor
}

// tappedName is the scratch file of a graph whose products' inputs are outputs.
func tappedName(file string) string { return "tapped_" + file }

// writeGraphs writes the graphs, choosing what is not chosen yet.
func (t *tuner) writeGraphs(ctx context.Context, dir string, progress encoded) ([]manifest.File, error) {
	plan := NewPlan(PerRow)
	for _, name := range t.model.Graphs.Float32 {
		plan.methods[name] = Float32
	}
	if err := t.tuneGraphs(ctx, plan, progress.exact); err != nil {
		return nil, err
	}
	data, err := onnx.CreateDataFile(dir, t.model.Graphs.Data)
	if err != nil {
		return nil, err
	}
	files, err := writeGraphs(ctx, dir, NewStore(ctx, t.source, data, plan), t.model.Graphs.List, t.remember)
	t.freeMemory()
	return files, err
}

// tuneGraphs chooses for every product of the graphs by their runs on the samples.
// The float32 graphs stay in the scratch folder for the check.
func (t *tuner) tuneGraphs(ctx context.Context, plan Plan, encoded []ort.Tensor) error {
	if t.tapped == nil {
		t.options.Step(t.model.Graphs.Name + " in float32")
		if err := t.tapGraphs(ctx, encoded[:min(choosingSamples, len(encoded))]); err != nil {
			return err
		}
	}
	products := slices.DeleteFunc(t.products(), func(p Product) bool { return plan.methods[p.Name()] == Float32 })
	open := slices.DeleteFunc(slices.Clone(products), func(p Product) bool { return !t.graphs.open(p) })
	done := 0
	for group := range slices.Chunk(open, productsAtOnce) {
		uses, err := t.usesOf(ctx, group)
		if err != nil {
			return err
		}
		for _, p := range group {
			done++
			t.options.Step(fmt.Sprintf("%s product %d of %d", t.model.Graphs.Name, done, len(open)))
			if _, err := t.decide(ctx, plan, t.graphs, p, uses[p.Name()], rowPolicy); err != nil {
				return err
			}
		}
		uses = nil
		t.freeMemory()
	}
	for _, p := range products { // also those chosen before
		if _, err := t.decide(ctx, plan, t.graphs, p, nil, rowPolicy); err != nil {
			return err
		}
	}
	return nil
}

// products lists the products of all graphs in the order in which they are met.
func (t *tuner) products() []Product {
	var products []Product
	for _, graph := range t.tapped {
		for _, p := range graph.products {
			if !hasProduct(products, p) {
				products = append(products, p)
			}
		}
	}
	return products
}

// tapGraphs writes the float32 graphs into the scratch folder, each as it is and
// tapped, and asks the architecture what to run them on.
func (t *tuner) tapGraphs(ctx context.Context, encoded []ort.Tensor) error {
	data, err := onnx.CreateDataFile(t.scratch, "graphs.bin")
	if err != nil {
		return err
	}
	weights := NewStore(ctx, t.source, data, Plan{})
	var tapped []*tappedGraph
	for _, graph := range t.model.Graphs.List {
		if graph.Twin {
			continue
		}
		err := t.write(t.scratch, graph.File, graph.Build(weights))
		taps := newTaps()
		weights.taps = taps
		built := graph.Build(weights)
		weights.taps = nil
		taps.declare(built)
		if err = errors.Join(err, t.write(t.scratch, tappedName(graph.File), built)); err != nil {
			return closeData(data, err)
		}
		tapped = append(tapped, &tappedGraph{file: graph.File, taps: taps})
	}
	if err := closeData(data, nil); err != nil {
		return err
	}
	t.freeMemory()
	runs, err := t.model.Graphs.Samples(ctx, t.runIn(t.scratch), encoded)
	if err != nil {
		return err
	}
	for _, graph := range tapped {
		graph.runs = runs[graph.file]
	}
	t.tapped = tapped
	return nil
}

// deciding is those of products that a graph's runs decide on; see Graphs.List.
func (t *tuner) deciding(graph *tappedGraph, products []Product) []Product {
	if graph == t.tapped[0] {
		return products
	}
	return slices.DeleteFunc(slices.Clone(products), func(p Product) bool {
		return slices.ContainsFunc(graph.uses[p.Name()], func(use tap[onnx.Value]) bool { return use.input.Name == t.model.Graphs.Encoded })
	})
}

// usesOf runs the tapped graphs on the samples and returns the uses of products.
func (t *tuner) usesOf(ctx context.Context, products []Product) (tapValues, error) {
	uses := tapValues{}
	for _, graph := range t.tapped {
		deciding := t.deciding(graph, products)
		names := graph.outputs(deciding)
		if len(names) == 0 || len(graph.runs) == 0 {
			continue
		}
		results, _, err := t.runIn(t.scratch)(ctx, tappedName(graph.file), graph.runs, names...)
		if err != nil {
			return nil, err
		}
		for _, outputs := range results {
			graph.sort(deciding, outputs, uses)
		}
	}
	return uses, nil
}
