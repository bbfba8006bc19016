package quantize

import (
	"fmt"
	"slices"

	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// tap is one use of a product: what it read and what it gave, in float32.
type tap[T any] struct{ input, output T }

// taps collects the uses of a graph's products and makes them outputs.
type taps struct {
	products []Product
	uses     map[string][]tap[onnx.Value]
}

func newTaps() *taps { return &taps{uses: map[string][]tap[onnx.Value]{}} }

func (t *taps) add(p Product, input, output onnx.Value) {
	if _, ok := t.uses[p.Name()]; !ok {
		t.products = append(t.products, p)
	}
	t.uses[p.Name()] = append(t.uses[p.Name()], tap[onnx.Value]{input, output})
}

// inputName and outputName name use j of product i as outputs.
func inputName(i, j int) string { return fmt.Sprintf("tap_input_%d_%d", i, j) }

func outputName(i, j int) string { return fmt.Sprintf("tap_output_%d_%d", i, j) }

// declare makes everything collected outputs of the graph, in order.
func (t *taps) declare(graph *onnx.Graph) {
	for i, p := range t.products {
		for j, use := range t.uses[p.Name()] {
			graph.Output(inputName(i, j), use.input)
			graph.Output(outputName(i, j), use.output)
		}
	}
}

// outputs lists the outputs that belong to these products.
func (t *taps) outputs(products []Product) []string {
	var names []string
	for i, p := range t.products {
		if !hasProduct(products, p) {
			continue
		}
		for j := range t.uses[p.Name()] {
			names = append(names, inputName(i, j), outputName(i, j))
		}
	}
	return names
}

func hasProduct(products []Product, p Product) bool {
	return slices.ContainsFunc(products, func(other Product) bool { return other.Name() == p.Name() })
}

// tapValues are the tapped values of runs, by product.
type tapValues map[string][]tap[ort.Tensor]

// sort files a run's outputs, which are those that belong to these products,
// under their products.
func (t *taps) sort(products []Product, outputs []ort.Tensor, into tapValues) {
	at := 0
	for _, p := range t.products {
		if !hasProduct(products, p) {
			continue
		}
		for range t.uses[p.Name()] {
			into[p.Name()] = append(into[p.Name()], tap[ort.Tensor]{outputs[at], outputs[at+1]})
			at += 2
		}
	}
}
