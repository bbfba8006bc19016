package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// FusedDomain is the domain of the operators that [Fuse] writes: QuantizedProduct, BlockProduct and FusedAttention.
const FusedDomain = "mekiki"

// How QuantizedProduct turns activations into codes of 8 bits.
const (
	fusedRows     = 0 // a scale for each row, around 128
	fusedPositive = 1 // a scale for each row, from 0
	fusedRun      = 2 // one scale and zero point for all rows
)

// leastInputs is how many inputs the operators have that are looked for.
var leastInputs = map[string]int{"DynamicQuantizeMatMul": 3, "MatMulIntegerToFloat": 5, "QuantizeLinear": 3, "Div": 2, "Max": 2,
	"ReduceMax": 1, "Abs": 1, "Sub": 2, "Mul": 2, "Add": 2, "BiasGelu": 2, "MatMulNBits": 3, "Relu": 1, "Gelu": 1, "FastGelu": 1, "QuickGelu": 1, "MultiHeadAttention": 3, "Slice": 1, "Reshape": 1}

// Fuse returns an encoded model in which products of 8-bit integers are one node each, with what comes before and after
// them: QuantizedProduct of x, the weight, its scales, what is taken off x, two biases, and what is added to the result.
// Products of integers in blocks become BlockProduct of x, the weight, its scales, a bias, and what is added, with the activation
// and the gate before it. They compute what
// the nodes that they stand for compute, rounding apart. Attention to what products of 8-bit integers give becomes one node
// too. Fuse also returns how many products there are. Only graphs that [Graph] wrote are changed.
func Fuse(model []byte, options FuseOptions) (fused []byte, count int, err error) {
	f := &fusing{options: options, ranks: map[string]int{}, tensors: map[string]fusedTensor{}, producer: map[string]int{}, users: map[string][]int{}, constant: map[string]bool{}, outputs: map[string]bool{}}
	if err := f.read(model); err != nil || !f.ours {
		return model, 0, err
	}
	f.index()
	for i := range f.nodes {
		if f.nodes[i].Operator == "MatMulNBits" && f.fuseBlocks(i) || f.fuse(i) {
			count++
		}
	}
	if count == 0 {
		return model, 0, nil
	}
	for i := range f.nodes {
		f.fuseAttention(i)
	}
	return f.encode(), count, nil
}

// FuseOptions says what fused operators do without. The zero value leaves them all that the processor has.
type FuseOptions struct {
	// Float32Attention has fused attention multiply floats of 32 bits also where the processor multiplies those of 16.
	Float32Attention bool
	// NoTiles leaves out the processor's matrix tiles (AMX).
	NoTiles bool
}

// fusing is a model whose nodes are being replaced.
type fusing struct {
	options  FuseOptions
	ours     bool
	rest     []byte // of the model, without its graph
	graph    []byte // without its nodes
	nodes    []fusedNode
	tensors  map[string]fusedTensor // initializers
	ranks    map[string]int         // of the graph's inputs
	outputs  map[string]bool        // of the graph
	producer map[string]int         // the node that gives a value
	users    map[string][]int       // the nodes that read it
	constant map[string]bool        // values that depend on no input
}

type fusedNode struct {
	Node
	encoded []byte
	domain  string
}

type fusedTensor struct {
	kind ElementType
	rank int
	rows int64 // the first dimension
	raw  []byte
}

func (f *fusing) read(model []byte) error {
	return eachRaw(model, func(field protowire.Number, raw, content []byte) error {
		switch field {
		case 2: // ModelProto.producer_name
			f.ours = string(content) == producer
		case 7: // graph
			return eachRaw(content, f.readGraph)
		}
		f.rest = append(f.rest, raw...)
		return nil
	})
}

func (f *fusing) readGraph(field protowire.Number, raw, content []byte) error {
	switch field {
	case 1: // GraphProto.node
		node, err := decodeNode(content)
		if err != nil {
			return err
		}
		one := fusedNode{Node: node, encoded: content}
		err = eachField(content, func(field protowire.Number, value []byte) error {
			if field == 7 { // NodeProto.domain
				one.domain = string(value)
			}
			return nil
		})
		if least, ok := leastInputs[one.Operator]; ok && (len(one.Inputs) < least || len(one.Outputs) != 1) {
			one.Operator = "" // which is nothing that is looked for
		}
		f.nodes = append(f.nodes, one)
		return err
	case 5: // initializer
		name, tensor, err := decodeTensor(content)
		if err != nil {
			return err
		}
		f.tensors[name], f.constant[name] = tensor, true
	case 11: // input
		name, rank, err := decodeRank(content)
		if err != nil {
			return err
		}
		f.ranks[name] = rank
	case 12: // output
		if err := eachField(content, func(field protowire.Number, name []byte) error {
			if field == 1 { // ValueInfoProto.name
				f.outputs[string(name)] = true
			}
			return nil
		}); err != nil {
			return err
		}
	}
	f.graph = append(f.graph, raw...)
	return nil
}

// decodeTensor reads an initializer's name, type, rank and the bytes that it holds itself.
func decodeTensor(message []byte) (name string, tensor fusedTensor, err error) {
	err = eachRaw(message, func(field protowire.Number, raw, content []byte) error {
		_, kind, tag := protowire.ConsumeTag(raw)
		switch field {
		case 1: // TensorProto.dims
			if kind != protowire.VarintType {
				return errors.New("packed dimensions")
			}
			if tensor.rank++; tensor.rank == 1 {
				size, length := protowire.ConsumeVarint(raw[tag:])
				if length < 0 {
					return fmt.Errorf("%w: %w", ErrEncoding, protowire.ParseError(length))
				}
				tensor.rows = int64(size)
			}
		case 2: // data_type
			value, length := protowire.ConsumeVarint(raw[tag:])
			if length < 0 {
				return fmt.Errorf("%w: %w", ErrEncoding, protowire.ParseError(length))
			}
			tensor.kind = ElementType(value)
		case 8: // name
			name = string(content)
		case 9: // raw_data
			tensor.raw = content
		}
		return nil
	})
	return name, tensor, err
}

// eachRaw calls do with every field of a message, as it is encoded and, where it has bytes, with those.
func eachRaw(message []byte, do func(field protowire.Number, raw, content []byte) error) error {
	for len(message) > 0 {
		field, kind, tag := protowire.ConsumeTag(message)
		if tag < 0 {
			return fmt.Errorf("%w: %w", ErrEncoding, protowire.ParseError(tag))
		}
		length := protowire.ConsumeFieldValue(field, kind, message[tag:])
		if length < 0 {
			return fmt.Errorf("%w: %w", ErrEncoding, protowire.ParseError(length))
		}
		var content []byte
		if kind == protowire.BytesType {
			content, _ = protowire.ConsumeBytes(message[tag:])
		}
		if err := do(field, message[:tag+length], content); err != nil {
			return err
		}
		message = message[tag+length:]
	}
	return nil
}

// index notes who gives and reads values, and which are constant.
func (f *fusing) index() {
	for i, node := range f.nodes {
		fixed := true
		for _, input := range node.Inputs {
			if input != "" {
				f.users[input] = append(f.users[input], i)
				fixed = fixed && f.constant[input]
			}
		}
		for _, output := range node.Outputs {
			f.producer[output] = i
			f.constant[output] = fixed
		}
	}
}

// from is the node of this operator that gives a value.
func (f *fusing) from(value, operator string) (fusedNode, bool) {
	i, ok := f.producer[value]
	if !ok || f.nodes[i].Operator != operator {
		return fusedNode{}, false
	}
	return f.nodes[i], true
}

// only is the one node that reads a value, of this operator; the value is no output of the graph.
func (f *fusing) only(value, operator string) (int, bool) {
	users := f.users[value]
	if len(users) != 1 || f.outputs[value] || f.nodes[users[0]].Operator != operator {
		return 0, false
	}
	return users[0], true
}

// scalar is the value of a float constant without dimensions.
func (f *fusing) scalar(name string) (float32, bool) {
	tensor, ok := f.tensors[name]
	if !ok || tensor.kind != Float32 || tensor.rank != 0 || len(tensor.raw) != 4 {
		return 0, false
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(tensor.raw)), true
}

// fuse replaces the product at node i, if it is one that can be.
func (f *fusing) fuse(i int) bool {
	node := f.nodes[i]
	var product fusedProduct
	var ok bool
	switch node.Operator {
	case "DynamicQuantizeMatMul":
		product, ok = f.byRun(i)
	case "MatMulIntegerToFloat":
		product, ok = f.byRows(i)
	}
	weight := f.tensors[product.weight]
	if !ok || f.constant[product.x] || weight.kind != Int8 || weight.rank != 2 || weight.rows < 1 || weight.rows > mostFeatures {
		return false // what is constant is computed when the graph is opened
	}
	if next, ok := f.only(product.output, "BiasGelu"); ok && f.nodes[next].Inputs[0] == product.output && f.constant[f.nodes[next].Inputs[1]] && product.biases[1] == "" {
		product.biases[1], product.gelu, product.at = f.nodes[next].Inputs[1], 1, next
		product.output = f.nodes[next].Outputs[0]
	}
	product.at, product.output, product.add = f.added(product.at, product.output)
	f.replace(product)
	return true
}

// fusedProduct is what a node QuantizedProduct is made of.
type fusedProduct struct {
	x, weight, scale, shift string
	biases                  [2]string
	add                     string // rows that are added at the end
	mode, gelu              int64
	output                  string
	at                      int // the last node that it stands for
}

func (f *fusing) byRun(i int) (fusedProduct, bool) {
	inputs := slices.Concat(f.nodes[i].Inputs, make([]string, 5))
	product := fusedProduct{x: inputs[0], weight: inputs[1], scale: inputs[2], mode: fusedRun, output: f.nodes[i].Outputs[0], at: i}
	product.biases[0] = inputs[4]
	return product, inputs[3] == ""
}

// byRows reads a product between a division and a multiplication by each row's largest magnitude.
func (f *fusing) byRows(i int) (product fusedProduct, ok bool) {
	inputs := slices.Concat(f.nodes[i].Inputs, make([]string, 7))
	codes, ok := f.from(inputs[0], "QuantizeLinear")
	if !ok || inputs[5] != "" || inputs[6] != "" || len(codes.Inputs) != 3 || codes.Inputs[1] != inputs[2] || codes.Inputs[2] != inputs[4] {
		return product, false
	}
	divided, ok := f.from(codes.Inputs[0], "Div")
	if !ok {
		return product, false
	}
	bounded, ok := f.from(divided.Inputs[1], "Max")
	if !ok {
		return product, false
	}
	largest, ok := f.from(bounded.Inputs[0], "ReduceMax")
	if !ok {
		return product, false
	}
	product = fusedProduct{x: divided.Inputs[0], weight: inputs[1], scale: inputs[3]}
	if !f.levels(&product, largest.Inputs[0], inputs[2], inputs[4]) {
		return product, false
	}
	if shifted, ok := f.from(product.x, "Sub"); ok && f.constant[shifted.Inputs[1]] && f.tensors[shifted.Inputs[1]].kind == Float32 && f.tensors[shifted.Inputs[1]].rank <= 1 {
		product.x, product.shift = shifted.Inputs[0], shifted.Inputs[1]
	}
	next, ok := f.only(f.nodes[i].Outputs[0], "Mul")
	if !ok || f.nodes[next].Inputs[1] != divided.Inputs[1] {
		return product, false
	}
	product.at, product.output = next, f.nodes[next].Outputs[0]
	if next, ok = f.only(product.output, "Add"); ok && f.nodes[next].Inputs[0] == product.output && f.isBias(f.nodes[next].Inputs[1]) {
		product.biases[0] = f.nodes[next].Inputs[1]
		product.at, product.output = next, f.nodes[next].Outputs[0]
	}
	return product, true
}

// levels says how codes count, by the constants of their step and their zero.
func (f *fusing) levels(product *fusedProduct, magnitude, step, zero string) bool {
	size, ok := f.scalar(step)
	if middle := f.tensors[zero]; !ok || middle.kind != Uint8 || len(middle.raw) != 1 {
		return false
	}
	switch absolute, signed := f.from(magnitude, "Abs"); f.tensors[zero].raw[0] {
	case 128:
		product.mode = fusedRows
		return signed && absolute.Inputs[0] == product.x && size == float32(1)/127
	case 0:
		product.mode = fusedPositive
		return magnitude == product.x && size == float32(1)/255
	}
	return false
}

// isBias says whether a value is a constant vector, or a sum of two.
func (f *fusing) isBias(value string) bool {
	if tensor, ok := f.tensors[value]; ok {
		return tensor.kind == Float32 && tensor.rank == 1
	}
	sum, ok := f.from(value, "Add")
	return ok && f.tensors[sum.Inputs[0]].rank == 1 && f.tensors[sum.Inputs[1]].rank == 1
}

// replace puts a node in the place of the last one that it stands for; the others are left out when nothing reads them.
func (f *fusing) replace(product fusedProduct) {
	f.put(product.at, node{operator: "QuantizedProduct",
		inputs:     []string{product.x, product.weight, product.scale, product.shift, product.biases[0], product.biases[1], product.add},
		outputs:    []string{product.output},
		attributes: append([]attribute{integer("mode", product.mode), integer("gelu", product.gelu)}, f.without()...)})
}

// put writes one of the operators of FusedDomain in the place of node i.
func (f *fusing) put(i int, made node) {
	made.domain, made.name = FusedDomain, "fused/"+made.outputs[0]
	f.nodes[i] = fusedNode{Node: Node{Operator: made.operator, Inputs: made.inputs, Outputs: made.outputs}, encoded: made.encode(), domain: FusedDomain}
	f.producer[made.outputs[0]] = i
}

// without says what an operator does without.
func (f *fusing) without() []attribute {
	if f.options.NoTiles {
		return []attribute{integer("no_tiles", 1)}
	}
	return nil
}

// encode writes the model with the nodes that something reads.
func (f *fusing) encode() []byte {
	needed := map[string]bool{}
	for name := range f.outputs {
		needed[name] = true
	}
	keep := make([]bool, len(f.nodes))
	for i := len(f.nodes) - 1; i >= 0; i-- {
		if keep[i] = slices.ContainsFunc(f.nodes[i].Outputs, func(name string) bool { return needed[name] }); keep[i] {
			for _, input := range f.nodes[i].Inputs {
				needed[input] = true
			}
		}
	}
	var graph []byte
	for i, node := range f.nodes {
		if keep[i] {
			graph = appendMessage(graph, 1, node.encoded) // GraphProto.node
		}
	}
	model := appendMessage(f.rest, 7, append(graph, f.graph...))      // ModelProto.graph
	return appendMessage(model, 8, encodeOperatorSet(FusedDomain, 1)) // opset_import
}
