package onnx

import (
	"slices"
	"testing"
)

// productGraph is a graph of a product in rows between an input and a GELU, and one of a constant.
func productGraph(constant bool) *Graph {
	graph := NewGraph("product")
	input := graph.Input("x", Float32, Dynamic("rows"), Fixed(4))
	x := input
	if constant {
		x = graph.Constant("fixed", Float32Tensor(make([]float32, 4), 1, 4))
	}
	weight := graph.Constant("weight", Tensor{Type: Int8, Shape: []int64{4, 8}, Raw: make([]byte, 32)})
	scale := graph.Constant("scale", Float32Tensor(make([]float32, 8), 8))
	largest := graph.Maximum(graph.Largest(graph.Absolute(x), 1), graph.Float(1e-30))
	step, zero := graph.Float(float32(1)/127), graph.Constant("uint8/128", Tensor{Type: Uint8, Raw: []byte{128}})
	codes := graph.QuantizeLinear(graph.Divide(x, largest), step, zero)
	y := graph.Multiply(graph.MatMulIntegerToFloat(codes, weight, step, scale, zero, Value{}), largest)
	y = graph.BiasGelu(graph.Add(y, scale), scale)
	if constant {
		graph.Output("input", input)
	}
	graph.Output("y", y)
	return graph
}

func TestFuseMakesOneNodeOfAProduct(t *testing.T) {
	graph := productGraph(false)
	fused, count, err := Fuse(graph.encode(), FuseOptions{})
	if err != nil || count != 1 || graph.Err() != nil {
		t.Fatalf("%d products, %v, %v", count, err, graph.Err())
	}
	nodes, err := Nodes(fused)
	if err != nil || len(nodes) != 2 || nodes[0].Operator != "QuantizedProduct" || nodes[1].Operator != "Identity" {
		t.Fatalf("nodes %+v, %v", nodes, err)
	}
	if want := []string{"x", "weight", "scale", "", "scale", "scale", ""}; !slices.Equal(nodes[0].Inputs, want) {
		t.Errorf("inputs %q, want %q", nodes[0].Inputs, want)
	}
}

func TestFuseLeavesWhatItDoesNotKnow(t *testing.T) {
	foreign := slices.Clone(productGraph(false).encode())
	foreign = appendText(foreign, 2, "another program") // the last one counts
	for name, model := range map[string][]byte{"a constant's product": productGraph(true).encode(), "another program's": foreign} {
		if _, count, err := Fuse(model, FuseOptions{}); err != nil || count != 0 {
			t.Errorf("%s: %d products, %v", name, count, err)
		}
	}
	// A value that something else reads too must stay.
	graph := productGraph(false)
	graph.Output("inside", Value{Name: graph.nodes[len(graph.nodes)-3].outputs[0], Type: Float32, Shape: Shape{Dynamic("rows"), Fixed(8)}})
	fused, count, err := Fuse(graph.encode(), FuseOptions{})
	if nodes, _ := Nodes(fused); err != nil || count != 1 || len(nodes) < 4 {
		t.Errorf("%d products in %+v, %v", count, nodes, err)
	}
}

// attentionGraph is attention whose queries are a product in rows and whose keys and values are inputs, of rows or cut into heads.
func attentionGraph(heads bool) *Graph {
	graph := NewGraph("attention")
	x := graph.Input("x", Float32, Fixed(1), Dynamic("rows"), Fixed(4))
	weight := graph.Constant("weight", Tensor{Type: Int8, Shape: []int64{4, 8}, Raw: make([]byte, 32)})
	query := graph.DynamicQuantizeMatMul(x, weight, graph.Constant("scale", Float32Tensor(make([]float32, 8), 8)), Value{})
	var y Value
	if heads {
		shape := Shape{Fixed(1), Fixed(2), Dynamic("keys"), Fixed(4)}
		y = graph.CrossAttention(query, graph.Input("key", Float32, shape...), graph.Input("value", Float32, shape...), 2, 1)
	} else {
		shape := Shape{Fixed(1), Dynamic("keys"), Fixed(8)}
		y, _, _ = graph.MultiHeadAttention(Attention{Query: query, Key: graph.Input("key", Float32, shape...), Value: graph.Input("value", Float32, shape...), Heads: 2})
	}
	graph.Output("y", y)
	return graph
}

func TestFuseLeavesAttentionToHeads(t *testing.T) {
	for heads, want := range map[bool]string{true: "MultiHeadAttention", false: "FusedAttention"} {
		graph := attentionGraph(heads)
		fused, count, err := Fuse(graph.encode(), FuseOptions{})
		if err != nil || graph.Err() != nil || count != 1 {
			t.Fatalf("%d products, %v, %v", count, err, graph.Err())
		}
		if nodes, err := Nodes(fused); err != nil || len(nodes) != 3 || nodes[1].Operator != want {
			t.Errorf("keys in heads: %v: nodes %+v, %v", heads, nodes, err)
		}
	}
}

// blockGraph is a graph of a product of 4 bits in blocks whose result is added to its input.
func blockGraph() *Graph {
	graph := NewGraph("blocks")
	x := graph.Input("x", Float32, Dynamic("rows"), Fixed(64))
	weight := graph.Constant("weight", Tensor{Type: Uint8, Shape: []int64{64, 2, 16}, Raw: make([]byte, 2048)})
	scales := graph.Constant("scales", Float32Tensor(make([]float32, 128), 64, 2))
	bias := graph.Constant("bias", Float32Tensor(make([]float32, 64), 64))
	graph.Output("y", graph.Add(x, graph.MatMulNBits(x, weight, scales, bias, 4, 32)))
	return graph
}

func TestFuseMakesOneNodeOfAProductInBlocks(t *testing.T) {
	fused, count, err := Fuse(blockGraph().encode(), FuseOptions{})
	if err != nil || count != 1 {
		t.Fatalf("%d products, %v", count, err)
	}
	nodes, err := Nodes(fused)
	if err != nil || len(nodes) != 2 || nodes[0].Operator != "BlockProduct" || nodes[1].Operator != "Identity" {
		t.Fatalf("nodes %+v, %v", nodes, err)
	}
	if want := []string{"x", "weight", "scales", "bias", "x"}; !slices.Equal(nodes[0].Inputs, want) {
		t.Errorf("inputs %q, want %q", nodes[0].Inputs, want)
	}
}

func FuzzFuse(f *testing.F) {
	f.Add(productGraph(false).encode())
	f.Add(blockGraph().encode())
	f.Add(attentionGraph(true).encode())
	f.Fuzz(func(t *testing.T, model []byte) { _, _, _ = Fuse(model, FuseOptions{}) })
}
