package quantize

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"mekiki/embed/checkpoint"
	"mekiki/embed/fused"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
)

// TestFusedProducts compares the fused product with the runtime's operators: all forms, sizes that fit no block, rows of
// very different size, and a row of zeros.
func TestFusedProducts(t *testing.T) {
	if !fused.Available() {
		t.Skip("this processor has no AVX-512 VNNI")
	}
	runtime := orttest.Open(t)
	for _, size := range [][3]int{{1, 8, 16}, {7, 50, 37}, {13, 64, 96}, {45, 129, 33}, {65, 600, 70}, {330, 70, 40}} {
		for _, form := range []string{"run", "rows", "rows gelu", "centred", "positive gelu", "added"} {
			t.Run(fmt.Sprint(size, " ", form), func(t *testing.T) { compareFused(t, runtime, form, size[0], size[1], size[2]) })
		}
	}
}

func compareFused(t *testing.T, runtime *ort.Runtime, form string, rows, inner, width int) {
	product := Product{Layers: []string{"layer"}, Input: inner, Output: width}
	plan := NewPlan(PerRow)
	switch form {
	case "run":
		plan = NewPlan(PerRun)
	case "centred":
		plan.centres["layer"] = checkpoint.RandomValues("centre", 1, inner)
	case "positive gelu":
		product.Least = LeastGelu
	}
	dir := t.TempDir()
	writeNetwork(t, dir, plan, fusedWeights{"layer.weight": {width, inner}, "layer.bias": {width}, "others": {inner, width}}, func(network *Network) {
		x := network.Input("x", onnx.Float32, onnx.Fixed(1), onnx.Dynamic("rows"), onnx.Fixed(inner))
		if form == "rows gelu" || form == "positive gelu" {
			network.Output("y", network.BiasGelu(network.Product(x, product), network.Bias(product)))
		} else if y := network.Apply(x, product); form == "added" {
			network.Output("y", network.Add(y, network.MatMul(x, network.Tensor("others", []int{inner, width}, inner, width))))
		} else {
			network.Output("y", y)
		}
	})
	graph, err := os.ReadFile(filepath.Join(dir, "graph.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if _, count, err := onnx.Fuse(graph, onnx.FuseOptions{}); count != 1 || err != nil {
		t.Fatalf("%d products are fused, %v", count, err)
	}
	values := checkpoint.RandomValues("x", 1, rows*inner)
	for i := range values {
		if row := i / inner; row == 2 {
			values[i] = 0
		} else if form != "run" {
			values[i] *= float32(math.Pow(10, float64(row%5-2)))
		}
		if form == "positive gelu" {
			values[i] = max(LeastGelu, values[i])
		}
	}
	// Codes may differ by one where a value lies between two.
	compareRows(t, runtime, filepath.Join(dir, "graph.onnx"), width, 2e-3, ort.Float32Tensor(values, 1, int64(rows), int64(inner)))
}

// writeNetwork writes graph.onnx and its weights into a folder.
func writeNetwork(t *testing.T, dir string, plan Plan, weights fusedWeights, build func(*Network)) {
	t.Helper()
	data, err := onnx.CreateDataFile(dir, "data.bin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = WriteGraphs(t.Context(), dir, NewStore(t.Context(), weights, data, plan), []Graph{{File: "graph.onnx", Build: func(store *Store) *onnx.Graph {
		network := NewNetwork("graph", store)
		build(network)
		return network.Graph
	}}}); err != nil {
		t.Fatal(err)
	}
}

// compareRows runs a graph by the runtime's operators, and fused with tiles and without, and compares rows of this width by their length.
func compareRows(t *testing.T, runtime *ort.Runtime, path string, width int, tolerance float64, given ...ort.Tensor) {
	t.Helper()
	exact := runFused(t, runtime, ort.SessionOptions{Path: path, NoFusion: true}, given...)
	compareEach(t, exact, runFused(t, runtime, ort.SessionOptions{Path: path}, given...), width, tolerance)
	compareEach(t, exact, runFused(t, runtime, ort.SessionOptions{Path: path, FuseOptions: onnx.FuseOptions{NoTiles: true}}, given...), width, tolerance)
}

// compareEach compares rows of this width by their length.
func compareEach(t *testing.T, exact, other []float32, width int, tolerance float64) {
	t.Helper()
	for row := range len(exact) / width {
		var difference, whole float64
		for i := row * width; i < (row+1)*width; i++ {
			difference += math.Pow(float64(other[i]-exact[i]), 2)
			whole += math.Pow(float64(exact[i]), 2)
		}
		if !(math.Sqrt(difference) <= tolerance*math.Sqrt(whole)+1e-6) {
			t.Errorf("row %d differs by %.2g of %.2g", row, math.Sqrt(difference), math.Sqrt(whole))
		}
	}
}

// fusedWeights are random tensors of these shapes.
type fusedWeights map[string][]int

func (w fusedWeights) Has(name string) bool { return w[name] != nil }

func (w fusedWeights) Shape(name string) ([]int, bool) { return w[name], w[name] != nil }

func (w fusedWeights) Float32(_ context.Context, name string) ([]float32, error) {
	count := 1
	for _, size := range w[name] {
		count *= size
	}
	return checkpoint.RandomValues(name, 1, count), nil
}
