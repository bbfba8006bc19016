package onnx

import (
	"errors"
	"slices"
	"testing"
)

func TestNodesAndOutputs(t *testing.T) {
	graph := NewGraph("small")
	x := graph.Input("x", Float32, Fixed(2))
	doubled := graph.Add(x, x)
	graph.Output("y", graph.Multiply(doubled, x))
	model := graph.encode()
	extended := AddOutputs(model, map[string]string{"inside": doubled.Name})
	nodes, err := Nodes(extended)
	if err != nil {
		t.Fatal(err)
	}
	last := nodes[len(nodes)-1]
	if len(nodes) != 4 || nodes[0].Operator != "Add" || !slices.Equal(nodes[0].Inputs, []string{"x", "x"}) {
		t.Errorf("nodes %v", nodes)
	}
	if last.Operator != "Identity" || !slices.Equal(last.Inputs, nodes[0].Outputs) || !slices.Equal(last.Outputs, []string{"inside"}) {
		t.Errorf("the added node is %v", last)
	}
	if before, err := Nodes(model); err != nil || len(before) != 3 {
		t.Errorf("the model has %v %v now", before, err)
	}
}

func FuzzNodes(f *testing.F) {
	graph := NewGraph("small")
	graph.Output("y", graph.Absolute(graph.Input("x", Float32, Fixed(2))))
	f.Add(graph.encode())
	f.Add([]byte{0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, model []byte) {
		if _, err := Nodes(model); err != nil && !errors.Is(err, ErrEncoding) {
			t.Errorf("error %v is not ErrEncoding", err)
		}
	})
}
