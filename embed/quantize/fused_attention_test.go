package quantize

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/cpu"

	"mekiki/embed/checkpoint"
	"mekiki/embed/fused"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
)

// TestFusedAttention compares fused attention with the runtime's: query, key and value as parts of one product, the first
// query alone, keys and values of another input, with and without a mask, and sizes that fit no block.
func TestFusedAttention(t *testing.T) {
	if !fused.Available() {
		t.Skip("this processor has no AVX-512 VNNI")
	}
	runtime := orttest.Open(t)
	for _, size := range []attentionSize{{1, 1, 1, 8}, {2, 5, 3, 3}, {1, 13, 2, 17}, {3, 31, 2, 40}, {1, 49, 4, 64}, {2, 33, 2, 88}} {
		for _, form := range []string{"self", "masked", "first", "cross"} {
			t.Run(fmt.Sprint(size, " ", form), func(t *testing.T) { compareAttention(t, runtime, form, size) })
		}
	}
}

type attentionSize struct{ batches, rows, heads, depth int }

func compareAttention(t *testing.T, runtime *ort.Runtime, form string, size attentionSize) {
	const inner = 24
	width := size.heads * size.depth
	dir := t.TempDir()
	names := []string{"query", "key", "value"}
	weights := fusedWeights{}
	for _, name := range names {
		weights[name+".weight"], weights[name+".bias"] = []int{width, inner}, []int{width}
	}
	writeNetwork(t, dir, NewPlan(PerRow), weights, func(network *Network) {
		batch, rows := onnx.Dynamic("batch"), onnx.Dynamic("rows")
		x := network.Input("x", onnx.Float32, batch, rows, onnx.Fixed(inner))
		all := Product{Layers: names, Input: inner, Output: width}
		parts := network.Split(network.Product(x, all), 2, width, width, width)
		attention := onnx.Attention{Query: parts[0], Key: parts[1], Value: parts[2], Bias: network.Bias(all), Heads: size.heads}
		switch form {
		case "masked":
			attention.ScoreBias = network.Input("mask", onnx.Float32, batch, onnx.Fixed(1), rows, rows)
		case "first":
			attention.Query = network.Slice(parts[0], 1, 0, 1, onnx.Fixed(1))
		case "cross":
			memory := network.Input("memory", onnx.Float32, batch, onnx.Dynamic("keys"), onnx.Fixed(2*width))
			given := network.Split(memory, 2, width, width)
			attention.Key, attention.Value, attention.Bias = given[0], given[1], onnx.Value{}
		}
		network.Output("y", network.Attend(attention))
	})
	path := filepath.Join(dir, "graph.onnx")
	if operators := fusedOperators(t, path); operators["FusedAttention"] != 1 || operators["MultiHeadAttention"] != 0 || operators["QuantizedProduct"] != 1 {
		t.Fatalf("operators %v", operators)
	}
	random := func(name string, shape ...int64) ort.Tensor {
		count := 1
		for _, size := range shape {
			count *= int(size)
		}
		return ort.Float32Tensor(checkpoint.RandomValues(name, 1, count), shape...)
	}
	batches, rows := int64(size.batches), int64(size.rows)
	inputs := []ort.Tensor{random("x", batches, rows, inner)}
	switch form {
	case "masked": // what is masked is the end of the last rows' keys
		mask := random("mask", batches, 1, rows, rows)
		for i := range mask.Float32() {
			if i%size.rows > size.rows/2 {
				mask.Float32()[i] = -10000
			}
		}
		inputs = append(inputs, mask)
	case "cross":
		inputs = append(inputs, random("memory", batches, rows+3, int64(2*width)))
	}
	compareRows(t, runtime, path, width, 1e-2, inputs...)
	// In floats of 32 bits, as on processors without bfloat16: what is left is the rounding of codes.
	exact, fused := runFused(t, runtime, ort.SessionOptions{Path: path, NoFusion: true}, inputs...), runFused(t, runtime, ort.SessionOptions{Path: path, FuseOptions: onnx.FuseOptions{Float32Attention: true}}, inputs...)
	compareEach(t, exact, fused, width, 2e-3)
	if half := runFused(t, runtime, ort.SessionOptions{Path: path}, inputs...); cpu.X86.HasAVX512BF16 && size.rows > 1 && slices.Equal(half, fused) {
		t.Error("floats of 16 and of 32 bits give the same")
	}
}

// fusedOperators counts the operators of a graph as it runs fused.
func fusedOperators(t *testing.T, path string) map[string]int {
	t.Helper()
	graph, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rewritten, _, err := onnx.Fuse(graph, onnx.FuseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := onnx.Nodes(rewritten)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, node := range nodes {
		counts[node.Operator]++
	}
	return counts
}
