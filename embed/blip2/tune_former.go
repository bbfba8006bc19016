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

// tuneFormer chooses for every product of the Q-Former and of the heads,
// looking at the graphs' runs on the samples; tokens are the sample images'.
// The float32 graphs stay in the scratch folder for the final check.
func (t *tuner) tuneFormer(ctx context.Context, plan plan, tokens []ort.Tensor, captions bool, limits limits) error {
	t.step("query transformer in float32")
	taps, err := t.writeFormer(ctx, captions)
	if err != nil {
		return err
	}
	uses, products, err := t.tapFormer(ctx, tokens[:min(choosingImages, len(tokens))], taps)
	if err != nil {
		return err
	}
	for i, l := range products {
		if plan.methods[l.name()] == methodFloat {
			continue
		}
		t.step(fmt.Sprintf("query transformer product %d of %d", i+1, len(products)))
		chosen, err := t.choose(ctx, l, uses[l.name()], formerCandidates, limits)
		if err != nil {
			return err
		}
		t.record(plan, l, chosen)
	}
	return nil
}

// tappedName is the scratch file of a graph whose products' inputs are outputs.
func tappedName(file string) string { return "tapped_" + file }

// writeFormer writes the float32 graphs into the scratch folder, each as it
// is and tapped.
func (t *tuner) writeFormer(ctx context.Context, captions bool) (map[string]*tapped, error) {
	data, err := onnx.CreateDataFile(t.scratch, formerData)
	if err != nil {
		return nil, err
	}
	weights := newStore(ctx, t.source, data, newPlan(methodFloat))
	collected := map[string]*tapped{}
	for _, named := range queryGraphs(captions) {
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
		collected[named.file] = taps
	}
	return collected, closeData(data, nil)
}

// tapFormer runs the tapped graphs on samples and returns the uses of each
// product, and the products in the order in which they were met.
func (t *tuner) tapFormer(ctx context.Context, tokens []ort.Tensor, taps map[string]*tapped) (tapValues, []linear, error) {
	uses := tapValues{}
	var products []linear
	tap := func(file string, runs ...[]ort.Tensor) error {
		collected, ok := taps[file]
		if !ok {
			return nil
		}
		for _, l := range collected.products {
			if !slices.ContainsFunc(products, func(known linear) bool { return known.name() == l.name() }) {
				products = append(products, l)
			}
		}
		return t.openTapped(ctx, file, func(run func(...ort.Tensor) ([]ort.Tensor, error)) error {
			for _, given := range runs {
				outputs, err := run(given...)
				if err != nil {
					return err
				}
				collected.sort(outputs, uses)
			}
			return nil
		})
	}
	var images, texts, pairs, steps [][]ort.Tensor
	for _, image := range tokens {
		images = append(images, []ort.Tensor{image})
	}
	memory, err := t.captionMemory(ctx, tokens, taps[CaptionStartFile] != nil)
	if err != nil {
		return nil, nil, err
	}
	for i, text := range t.samples.texts {
		ids, mask := textTensors(text)
		texts = append(texts, []ort.Tensor{ids, mask})
		pairs = append(pairs, []ort.Tensor{tokens[i%len(tokens)], ids, mask})
		if len(memory) > 0 {
			steps = append(steps, append([]ort.Tensor{ids, positions(len(text))}, memory[i%len(memory)]...))
		}
	}
	err = errors.Join(tap(ImagePartsFile, images...), tap(TextFile, texts...), tap(MatchFile, pairs...), tap(CaptionStepFile, steps...))
	return uses, products, err
}

// openTapped opens a tapped graph with only the tapped outputs.
func (t *tuner) openTapped(ctx context.Context, file string, use runner) error {
	return t.open(ctx, filepath.Join(t.scratch, tappedName(file)), tapPrefix, use)
}

// captionMemory is the keys and values that each image gives to captions, in
// the order of the step graph's inputs.
func (t *tuner) captionMemory(ctx context.Context, tokens []ort.Tensor, captions bool) ([][]ort.Tensor, error) {
	if !captions {
		return nil, nil
	}
	var memory [][]ort.Tensor
	err := t.open(ctx, filepath.Join(t.scratch, CaptionStartFile), "", func(run func(...ort.Tensor) ([]ort.Tensor, error)) error {
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
