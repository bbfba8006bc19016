package blip2

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// formerData is the data file of the Q-Former's float32 graphs, for the time
// of tuning.
const formerData = "former.bin"

// productsAtOnce is how many of the Q-Former's products are looked at together:
// what they read and gave is in memory, for the others it is computed again.
const productsAtOnce = 16

// tuneFormer chooses for every product of the Q-Former and of the heads,
// looking at the graphs' runs on the samples; tokens are the sample images'.
// The float32 graphs stay in the scratch folder for the final check.
func (t *tuner) tuneFormer(ctx context.Context, plan plan, tokens []ort.Tensor) error {
	if t.graphs == nil {
		t.step("query transformer in float32")
		graphs, err := t.writeFormer(ctx)
		if err != nil {
			return err
		}
		t.makeRoom()
		if err := t.sampleFormer(ctx, graphs, tokens[:min(choosingImages, len(tokens))]); err != nil {
			return err
		}
		t.graphs = graphs
	}
	products := slices.DeleteFunc(productsOf(t.graphs), func(l linear) bool { return plan.methods[l.name()] == methodFloat })
	unsettled := slices.DeleteFunc(slices.Clone(products), func(l linear) bool { _, ok := t.former.settled(l); return ok })
	done := 0
	for group := range slices.Chunk(unsettled, productsAtOnce) {
		uses, err := t.tapFormer(ctx, t.graphs, group)
		if err != nil {
			return err
		}
		for _, l := range group {
			done++
			t.step(fmt.Sprintf("query transformer product %d of %d", done, len(unsettled)))
			if _, err := t.decide(ctx, plan, t.former, l, uses[l.name()], formerCandidates); err != nil {
				return err
			}
		}
		uses = nil
		t.makeRoom()
	}
	for _, l := range products { // also those settled before
		if _, err := t.decide(ctx, plan, t.former, l, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// tappedGraph is a graph of the Q-Former whose products' inputs and outputs can
// be read, and what it is run on.
type tappedGraph struct {
	file string
	taps *tapped
	runs [][]ort.Tensor
}

// productsOf lists the products of all graphs in the order in which they are met.
func productsOf(graphs []*tappedGraph) []linear {
	var products []linear
	for _, graph := range graphs {
		for _, l := range graph.taps.products {
			if !hasProduct(products, l) {
				products = append(products, l)
			}
		}
	}
	return products
}

// tappedName is the scratch file of a graph whose products' inputs are outputs.
func tappedName(file string) string { return "tapped_" + file }

// writeFormer writes the float32 graphs into the scratch folder, each as it
// is and tapped.
func (t *tuner) writeFormer(ctx context.Context) ([]*tappedGraph, error) {
	data, err := onnx.CreateDataFile(t.scratch, formerData)
	if err != nil {
		return nil, err
	}
	weights := newStore(ctx, t.source, data, newPlan(methodFloat))
	var graphs []*tappedGraph
	for _, named := range queryGraphs(t.captions) {
		if named.file == MatchImageFile || named.file == MatchTextFile {
			continue // together they are the match graph
		}
		weights.taps = nil
		err := named.build(t.config, weights).Write(t.scratch, named.file)
		taps := newTapped()
		weights.taps = taps
		graph := named.build(t.config, weights)
		taps.outputs(graph)
		err = errors.Join(err, graph.Write(t.scratch, tappedName(named.file)))
		if err != nil {
			return nil, closeData(data, err)
		}
		graphs = append(graphs, &tappedGraph{file: named.file, taps: taps})
	}
	return graphs, closeData(data, nil)
}

// sampleFormer says what each graph is run on: the samples' image tokens and texts.
func (t *tuner) sampleFormer(ctx context.Context, graphs []*tappedGraph, tokens []ort.Tensor) error {
	memory, err := t.captionMemory(ctx, t.scratch, tokens)
	if err != nil {
		return err
	}
	for _, graph := range graphs {
		switch graph.file {
		case ImagePartsFile:
			for _, image := range tokens {
				graph.runs = append(graph.runs, []ort.Tensor{image})
			}
			continue
		case CaptionStartFile:
			continue // the image transformer once more
		}
		for i, text := range t.samples.texts {
			ids, mask := textTensors(text)
			switch graph.file {
			case TextFile:
				graph.runs = append(graph.runs, []ort.Tensor{ids, mask})
			case MatchFile:
				graph.runs = append(graph.runs, []ort.Tensor{tokens[i%len(tokens)], ids, mask})
			case CaptionStepFile:
				graph.runs = append(graph.runs, append([]ort.Tensor{ids, positions(len(text))}, memory[i%len(memory)]...))
			}
		}
	}
	return nil
}

// asked is the products that this graph is asked about: all but those that read
// image tokens, whose rows are many and which every graph reads alike, unless it is
// the image transformer.
func (g *tappedGraph) asked(products []linear) []linear {
	return slices.DeleteFunc(slices.Clone(products), func(l linear) bool {
		return g.file != ImagePartsFile && slices.ContainsFunc(g.taps.uses[l.name()], func(use tap[onnx.Value]) bool {
			return use.input.Name == ImageTokensName
		})
	})
}

// tapFormer runs the tapped graphs on the samples and returns the uses of these
// products.
func (t *tuner) tapFormer(ctx context.Context, graphs []*tappedGraph, products []linear) (tapValues, error) {
	uses := tapValues{}
	for _, graph := range graphs {
		products := graph.asked(products)
		names := graph.taps.outputNames(products)
		if len(names) == 0 || len(graph.runs) == 0 {
			continue
		}
		// Without copies of the weights in the kernels' layout: they would need as
		// much memory again.
		opening := ort.SessionOptions{Path: filepath.Join(t.scratch, tappedName(graph.file)), NoPrepack: true}
		err := t.openFor(ctx, opening, func(name string) bool { return slices.Contains(names, name) },
			func(run func(...ort.Tensor) ([]ort.Tensor, error)) error {
				for _, given := range graph.runs {
					outputs, err := run(given...)
					if err != nil {
						return err
					}
					graph.taps.sort(products, outputs, uses)
				}
				return nil
			})
		if err != nil {
			return nil, err
		}
	}
	return uses, nil
}

// captionMemory is the keys and values that each image gives to captions, in
// the order of the step graph's inputs, by the graphs in a folder.
func (t *tuner) captionMemory(ctx context.Context, dir string, tokens []ort.Tensor) ([][]ort.Tensor, error) {
	if !t.captions {
		return nil, nil
	}
	var memory [][]ort.Tensor
	opening := ort.SessionOptions{Path: filepath.Join(dir, CaptionStartFile), NoPrepack: dir == t.scratch}
	all := func(string) bool { return true }
	err := t.openFor(ctx, opening, all, func(run func(...ort.Tensor) ([]ort.Tensor, error)) error {
		for _, image := range tokens {
			outputs, err := run(image)
			if err != nil {
				return err
			}
			memory = append(memory, outputs)
		}
		return nil
	})
	return memory, err
}

// textTensors is a text's token ids and mask as a batch of one.
func textTensors(text []int64) (ids, mask ort.Tensor) {
	size := int64(len(text))
	return ort.Int64Tensor(text, 1, size), ort.Int64Tensor(slices.Repeat([]int64{1}, len(text)), 1, size)
}

// positions is the numbers from 0 up to count, excluded.
func positions(count int) ort.Tensor {
	values := make([]int64, count)
	for i := range values {
		values[i] = int64(i)
	}
	return ort.Int64Tensor(values, int64(count))
}
