package ort_test

import (
	"maps"
	"math"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"mekiki/embed/fused"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
)

// strange is a node that a file brings along beside a product that is fused, so that the operators are known.
type strange struct {
	operator   string
	inputs     []string
	outputs    []string // of nil, one that the graph gives
	attributes map[string]int64
	floats     map[string]float32
	runs       bool // nothing is wrong with it
}

func field(message []byte, number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(message, number, protowire.BytesType), content)
}

// encode is a graph of nothing but the node.
func (s strange) encode() []byte {
	var node []byte
	for _, input := range s.inputs {
		node = field(node, 1, []byte(input)) // NodeProto.input
	}
	outputs := s.outputs
	if outputs == nil {
		outputs = []string{"inside"}
	}
	for _, output := range outputs {
		node = field(node, 2, []byte(output)) // output
	}
	node = field(field(node, 3, []byte("strange")), 4, []byte(s.operator)) // name, op_type
	for name, value := range s.attributes {
		attribute := field(nil, 1, []byte(name))                                                                   // AttributeProto.name
		attribute = protowire.AppendVarint(protowire.AppendTag(attribute, 3, protowire.VarintType), uint64(value)) // i
		attribute = protowire.AppendVarint(protowire.AppendTag(attribute, 20, protowire.VarintType), 2)            // type
		node = field(node, 5, attribute)
	}
	for name, value := range s.floats {
		attribute := field(nil, 1, []byte(name))
		attribute = protowire.AppendFixed32(protowire.AppendTag(attribute, 2, protowire.Fixed32Type), math.Float32bits(value)) // f
		attribute = protowire.AppendVarint(protowire.AppendTag(attribute, 20, protowire.VarintType), 1)
		node = field(node, 5, attribute)
	}
	return field(nil, 1, field(node, 7, []byte(onnx.FusedDomain))) // GraphProto.node with its domain
}

// write writes a graph of a product and the node. It gives z too if the node does.
func (s strange) write(t *testing.T, folder string) string {
	t.Helper()
	graph := onnx.NewGraph("strange")
	x := graph.Input("x", onnx.Float32, onnx.Fixed(1), onnx.Dynamic("rows"), onnx.Fixed(8))
	floats := func(name string, shape ...int64) onnx.Value {
		count := int64(1)
		for _, size := range shape {
			count *= size
		}
		return graph.Constant(name, onnx.Float32Tensor(make([]float32, count), shape...))
	}
	codes := func(name string, shape ...int64) onnx.Value {
		count := int64(1)
		for _, size := range shape {
			count *= size
		}
		return graph.Constant(name, onnx.Tensor{Type: onnx.Int8, Shape: shape, Raw: make([]byte, count)})
	}
	weight, scale := codes("weight", 8, 4), floats("scale", 4)
	blocks := func(name string, shape ...int64) {
		size := shape[0] * shape[1] * shape[2]
		graph.Constant(name, onnx.Tensor{Type: onnx.Uint8, Shape: shape, Raw: make([]byte, size)})
	}
	blocks("blocks", 4, 1, 16)
	blocks("bytes", 4, 1, 32)
	blocks("two blocks", 4, 2, 16)
	blocks("no blocks", 4, 0, 16)
	floats("scales", 4, 1)
	floats("two scales", 4, 2)
	floats("no scales", 4, 0)
	codes("weights of three", 2, 4, 4)
	codes("no rows", 0, 4)
	floats("five", 5)
	floats("none", 0)
	floats("deep", 1, 1, 1, 1, 1, 1, 1, 1, 4)
	floats("deep x", 1, 1, 1, 1, 1, 1, 1, 1, 8)
	floats("one", 1)
	floats("wide x", 1, 3, 16)
	floats("scalar")
	floats("biases", 24)
	floats("other", 1, 5, 8)
	floats("of two", 2, 3, 8)
	floats("without rows", 1, 0, 8)
	floats("flat", 3, 8)
	floats("mask", 1, 1, 3, 3)
	floats("narrow mask", 1, 1, 3, 2)
	floats("flat mask", 3, 3)
	graph.Output("y", graph.DynamicQuantizeMatMul(x, weight, scale, onnx.Value{}))
	if s.outputs == nil {
		graph.Output("z", onnx.Value{Name: "inside", Type: onnx.Float32, Shape: onnx.Shape{onnx.Dynamic("b"), onnx.Dynamic("r"), onnx.Dynamic("c")}})
	}
	if err := graph.Write(folder, "strange.onnx"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "strange.onnx")
	model, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Two graphs of one message are one.
	if err := os.WriteFile(path, append(field(nil, 7, s.encode()), model...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestStrangeProducts opens files that name the operators of fused products themselves: what does not fit is refused.
func TestStrangeProducts(t *testing.T) {
	if !fused.Available() {
		t.Skip("this processor has no AVX-512 VNNI")
	}
	runtime := orttest.Open(t)
	rows := map[string]int64{"mode": 0, "gelu": 0}
	for name, node := range map[string]strange{
		"whole":                 {inputs: []string{"x", "weight", "scale"}, attributes: rows, runs: true},
		"another mode":          {inputs: []string{"x", "weight", "scale"}, attributes: map[string]int64{"mode": 1 << 40, "gelu": -1}, runs: true},
		"without attributes":    {inputs: []string{"x", "weight", "scale"}},
		"of two inputs":         {inputs: []string{"x", "weight"}, attributes: rows},
		"without a scale":       {inputs: []string{"x", "weight", ""}, attributes: rows},
		"a short scale":         {inputs: []string{"x", "weight", "one"}, attributes: rows},
		"a deep scale":          {inputs: []string{"x", "weight", "deep"}, attributes: rows},
		"a long shift":          {inputs: []string{"x", "weight", "scale", "five"}, attributes: rows},
		"an empty shift":        {inputs: []string{"x", "weight", "scale", "none"}, attributes: rows, runs: true},
		"a long bias":           {inputs: []string{"x", "weight", "scale", "", "five"}, attributes: rows},
		"an empty bias":         {inputs: []string{"x", "weight", "scale", "", "none"}, attributes: rows, runs: true},
		"a deep bias":           {inputs: []string{"x", "weight", "scale", "", "", "deep"}, attributes: rows},
		"weights of three":      {inputs: []string{"x", "weights of three", "scale"}, attributes: rows},
		"weights without rows":  {inputs: []string{"x", "no rows", "scale"}, attributes: rows},
		"weights of floats":     {inputs: []string{"x", "scale", "scale"}, attributes: rows},
		"rows of another width": {inputs: []string{"five", "weight", "scale"}, attributes: rows},
		"rows too deep":         {inputs: []string{"deep x", "weight", "scale"}, attributes: rows},
		"a number":              {inputs: []string{"scalar", "weight", "scale"}, attributes: rows},
		"no rows":               {inputs: []string{"none", "weight", "scale"}, attributes: rows},
		"nowhere":               {inputs: []string{"x", "weight", "scale"}, outputs: []string{""}, attributes: rows},
		"no output":             {inputs: []string{"x", "weight", "scale"}, outputs: []string{}, attributes: rows},
	} {
		t.Run(name, func(t *testing.T) {
			node.operator = "QuantizedProduct"
			tryStrange(t, runtime, node)
		})
	}
}

// TestStrangeBlocks does the same with the operator of products in blocks.
func TestStrangeBlocks(t *testing.T) {
	if !fused.Available() {
		t.Skip("this processor has no AVX-512 VNNI")
	}
	runtime := orttest.Open(t)
	for name, test := range map[string]struct {
		inputs  []string
		changed map[string]int64 // attributes
		runs    bool
	}{
		"whole":                   {inputs: []string{"x", "blocks", "scales"}, runs: true},
		"of 8 bits":               {inputs: []string{"x", "bytes", "scales"}, changed: map[string]int64{"bits": 8}, runs: true},
		"with a bias and a sum":   {inputs: []string{"x", "blocks", "scales", "scale", "y"}, runs: true},
		"a bias alone":            {inputs: []string{"x", "blocks", "scales", "scale"}, runs: true},
		"of two halves":           {inputs: []string{"wide x", "blocks", "scales"}, changed: map[string]int64{"gated": 1, "activation": 3}, runs: true},
		"of one half":             {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"gated": 1}},
		"another activation":      {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"activation": 5}},
		"no activation":           {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"activation": -1}},
		"of 5 bits":               {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"bits": 5}},
		"of 8 bits in 4":          {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"bits": 8}},
		"bits beyond 32 bits":     {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"bits": 1 << 32}},
		"blocks of nothing":       {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"block": 0}},
		"blocks below nothing":    {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"block": -32}},
		"small blocks":            {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"block": 16}},
		"large blocks":            {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"block": 1 << 20}},
		"no features":             {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"inner": 0}},
		"features below nothing":  {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"inner": -8}},
		"too many features":       {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"inner": 40}},
		"features of other rows":  {inputs: []string{"x", "blocks", "scales"}, changed: map[string]int64{"inner": 9}},
		"more blocks":             {inputs: []string{"x", "two blocks", "scales"}},
		"no blocks":               {inputs: []string{"x", "no blocks", "no scales"}},
		"more scales":             {inputs: []string{"x", "blocks", "two scales"}},
		"flat scales":             {inputs: []string{"x", "blocks", "scale"}},
		"a matrix":                {inputs: []string{"x", "weight", "scales"}},
		"scales that are not yet": {inputs: []string{"x", "blocks", "y"}},
		"a long bias":             {inputs: []string{"x", "blocks", "scales", "five"}},
		"a sum of another width":  {inputs: []string{"x", "blocks", "scales", "", "five"}},
		"without scales":          {inputs: []string{"x", "blocks", ""}},
		"rows too deep":           {inputs: []string{"deep x", "blocks", "scales"}},
		"a number":                {inputs: []string{"scalar", "blocks", "scales"}},
		"no rows":                 {inputs: []string{"without rows", "blocks", "scales"}, runs: true},
	} {
		t.Run(name, func(t *testing.T) {
			node := strange{operator: "BlockProduct", inputs: test.inputs, runs: test.runs, attributes: map[string]int64{"inner": 8, "bits": 4, "block": 32}}
			maps.Copy(node.attributes, test.changed)
			tryStrange(t, runtime, node)
		})
	}
}

// TestStrangeAttention does the same with the operator of attention.
func TestStrangeAttention(t *testing.T) {
	if !fused.Available() {
		t.Skip("this processor has no AVX-512 VNNI")
	}
	runtime := orttest.Open(t)
	for name, test := range map[string]struct {
		inputs  []string
		changed map[string]int64 // attributes
		runs    bool
	}{
		"whole":                       {inputs: []string{"x", "x", "x", "biases", "mask"}, runs: true},
		"columns":                     {inputs: []string{"x", "x", "x"}, changed: map[string]int64{"width": 4, "key": 4}, runs: true},
		"no heads":                    {inputs: []string{"x", "x", "x"}, changed: map[string]int64{"heads": 0}},
		"heads beyond 32 bits":        {inputs: []string{"x", "x", "x"}, changed: map[string]int64{"heads": 1 << 32}},
		"heads that do not divide":    {inputs: []string{"x", "x", "x"}, changed: map[string]int64{"heads": 3}},
		"too wide":                    {inputs: []string{"x", "x", "x"}, changed: map[string]int64{"width": 16}},
		"columns beyond the last":     {inputs: []string{"x", "x", "x"}, changed: map[string]int64{"width": 4, "value": 6}},
		"columns before the first":    {inputs: []string{"x", "x", "x"}, changed: map[string]int64{"width": 4, "query": -4}},
		"other rows":                  {inputs: []string{"x", "other", "other"}, runs: true},
		"fewer keys than values":      {inputs: []string{"x", "x", "other"}},
		"more batches than queries":   {inputs: []string{"x", "of two", "of two"}},
		"more batches than of keys":   {inputs: []string{"of two", "x", "x"}, runs: true},
		"no keys":                     {inputs: []string{"x", "without rows", "without rows"}},
		"no queries":                  {inputs: []string{"without rows", "x", "x"}, runs: true},
		"flat queries":                {inputs: []string{"flat", "x", "x"}},
		"flat keys":                   {inputs: []string{"x", "flat", "x"}},
		"deep values":                 {inputs: []string{"x", "x", "deep x"}},
		"biases of another width":     {inputs: []string{"x", "x", "x", "five"}},
		"a mask of other keys":        {inputs: []string{"x", "x", "x", "", "narrow mask"}},
		"a mask without heads":        {inputs: []string{"x", "x", "x", "", "flat mask"}},
		"a mask of too many sizes":    {inputs: []string{"x", "x", "x", "", "deep"}},
		"a number instead of queries": {inputs: []string{"scalar", "x", "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			node := strange{operator: "FusedAttention", inputs: test.inputs, runs: test.runs, floats: map[string]float32{"scale": 1},
				attributes: map[string]int64{"heads": 2, "width": 0, "query": 0, "key": 0, "value": 0}}
			maps.Copy(node.attributes, test.changed)
			tryStrange(t, runtime, node)
		})
	}
}

func tryStrange(t *testing.T, runtime *ort.Runtime, node strange) {
	t.Helper()
	options := ort.SessionOptions{
		Path: node.write(t, t.TempDir()), Threads: 2, Inputs: []ort.Value{{Name: "x", Type: ort.Float32, Shape: []int64{1, -1, 8}}},
		Outputs: []ort.Value{{Name: "y", Type: ort.Float32, Shape: []int64{1, -1, 4}}},
	}
	if node.outputs == nil {
		options.Outputs = append(options.Outputs, ort.Value{Name: "z", Type: ort.Float32, Shape: []int64{-1, -1, -1}})
	}
	session, err := runtime.Session(t.Context(), options)
	if err == nil {
		_, err = session.Run(t.Context(), ort.Float32Tensor(make([]float32, 24), 1, 3, 8))
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Log(err)
	if node.outputs == nil && (err == nil) != node.runs {
		t.Errorf("runs: %v, want %v", err, node.runs)
	}
}
