package quantize

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/embed/checkpoint"
	"mekiki/embed/fused"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
)

// TestFusedBlocks compares the fused product in blocks with the runtime's operator and with the product in double precision of
// the same codes: it may not be further from the latter than the runtime's is. Sizes fit no block and no panel, rows are
// of very different size, one of them is zero.
func TestFusedBlocks(t *testing.T) {
	if !fused.Available() {
		t.Skip("this processor has no AVX-512 VNNI")
	}
	runtime := orttest.Open(t)
	for _, method := range []Method{PerBlock4, PerBlock, PerWideBlock} {
		for _, size := range [][3]int{{1, 8, 16}, {1, 300, 200}, {2, 128, 32}, {3, 50, 37}, {5, 256, 96}, {7, 129, 33}, {12, 64, 31}, {13, 96, 48}, {44, 257, 65}} {
			for _, form := range []string{"plain", "bias", "added", "relu", "gelu", "tanh gelu", "gelu gated", "tanh gelu gated", "silu gated"} {
				t.Run(fmt.Sprint(method, " ", size, " ", form), func(t *testing.T) { compareBlocks(t, runtime, method, form, size[0], size[1], size[2]) })
			}
		}
	}
}

// operatorsBeside are those of each form that stay beside BlockProduct and Identity.
var operatorsBeside = map[string][]string{"added": {"MatMul"}}

func compareBlocks(t *testing.T, runtime *ort.Runtime, method Method, form string, rows, inner, width int) {
	product := Product{Layers: []string{"layer"}, Input: inner, Output: width}
	weights := fusedWeights{"layer.weight": {width, inner}, "layer.bias": {width}, "others": {inner, width}}
	dir := t.TempDir()
	activation, gated := strings.CutSuffix(form, " gated")
	columns := inner
	if gated {
		columns *= 2
	}
	writeNetwork(t, dir, NewPlan(method), weights, func(network *Network) {
		x := network.Input("x", onnx.Float32, onnx.Fixed(1), onnx.Dynamic("rows"), onnx.Fixed(columns))
		parts := []onnx.Value{x}
		if gated {
			parts = network.Split(x, 2, inner, inner)
		}
		activate, active := map[string]func(onnx.Value) onnx.Value{"relu": network.Relu, "gelu": network.Gelu, "tanh gelu": network.FastGelu,
			"silu": func(x onnx.Value) onnx.Value { return network.QuickGelu(x, 1) }}[activation]
		switch {
		case active && gated:
			network.Output("y", network.Product(network.Multiply(activate(parts[0]), parts[1]), product))
		case active:
			network.Output("y", network.Apply(activate(x), product))
		}
		switch form {
		case "plain":
			network.Output("y", network.Product(x, product))
		case "bias":
			network.Output("y", network.Apply(x, product))
		case "added":
			network.Output("y", network.Add(network.MatMul(x, network.Tensor("others", []int{inner, width}, inner, width)), network.Apply(x, product)))
		}
	})
	path := filepath.Join(dir, "graph.onnx")
	if operators := fusedOperators(t, path); operators["BlockProduct"] != 1 || operators["MatMulNBits"] != 0 || operators["Add"] != 0 || len(operators) != 2+len(operatorsBeside[form]) {
		t.Fatalf("operators %v", operators)
	}
	values := checkpoint.RandomValues("x", 1, rows*columns)
	for i := range values {
		if row := i / columns; row == 2 {
			values[i] = 0
		} else {
			values[i] *= float32(math.Pow(10, float64(row%5-2)))
		}
	}
	given := ort.Float32Tensor(values, 1, int64(rows), int64(columns))
	compareRows(t, runtime, path, width, 3e-3, given)
	if form != "plain" {
		return
	}
	exact := exactBlocks(t, weights, method, values, rows, inner, width)
	errors := [2]float64{relativeError(exact, runFused(t, runtime, ort.SessionOptions{Path: path, NoFusion: true}, given)), relativeError(exact, runFused(t, runtime, ort.SessionOptions{Path: path}, given))}
	t.Logf("error %.5f by the runtime's operator, %.5f fused", errors[0], errors[1])
	// Of few values, a code that lies between two may fall either way.
	if errors[1] > 1.02*errors[0]+0.02/math.Sqrt(float64(rows*width)*float64(inner)) {
		t.Errorf("fused it is off by %.5f, by the runtime's operator by %.5f", errors[1], errors[0])
	}
}

// exactBlocks is the product of rows with what the codes of the layer stand for.
func exactBlocks(t *testing.T, weights fusedWeights, method Method, values []float32, rows, inner, width int) []float64 {
	t.Helper()
	matrix, err := weights.Float32(t.Context(), "layer.weight")
	if err != nil {
		t.Fatal(err)
	}
	var decoded []float32
	if method == PerBlock4 {
		codes, scales := quantizeBlocks4(matrix, nil, width, inner)
		decoded = decode4(codes, scales, width, inner)
	} else {
		size := map[Method]int{PerBlock: blockSize, PerWideBlock: wideBlockSize}[method]
		codes, scales := quantizeBlocks(matrix, width, inner, size)
		count := (inner + size - 1) / size
		for i := range width * inner {
			at := i/inner*count*size + i%inner
			decoded = append(decoded, float32(int(codes[at])-128)*scales[at/size])
		}
	}
	exact := make([]float64, rows*width)
	for i := range exact {
		for k := range inner {
			exact[i] += float64(values[i/width*inner+k]) * float64(decoded[i%width*inner+k])
		}
	}
	return exact
}

// relativeError is the root mean square, over rows, of the difference relative to a row.
func relativeError(exact []float64, values []float32) float64 {
	var difference, whole float64
	for i, value := range exact {
		difference += math.Pow(value-float64(values[i]), 2)
		whole += value * value
	}
	return math.Sqrt(difference / whole)
}

// runFused runs a graph on two threads.
func runFused(t *testing.T, runtime *ort.Runtime, options ort.SessionOptions, given ...ort.Tensor) []float32 {
	t.Helper()
	options.Inputs, options.Outputs = orttest.Inspect(t, options.Path)
	options.Threads = 2
	session, err := runtime.Session(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	y, err := session.Run(t.Context(), given...)
	if err != nil {
		t.Fatal(err)
	}
	return y[0].Float32()
}
