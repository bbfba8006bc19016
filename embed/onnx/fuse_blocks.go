package onnx

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// nBits are the attributes of a node MatMulNBits: its inner size, the bits of a code and the features of a block.
type nBits struct{ inner, bits, block int64 }

// fuseBlocks replaces the product by 4 or 8 bits in blocks at node i, with the sum after it, if it is one that can be.
func (f *fusing) fuseBlocks(i int) bool {
	inputs := slices.Concat(f.nodes[i].Inputs, make([]string, 6))
	x, weight, scales, bias := inputs[0], inputs[1], inputs[2], inputs[5]
	of, err := decodeNBits(f.nodes[i].encoded)
	if err != nil || f.constant[x] || inputs[3] != "" || inputs[4] != "" || bias != "" && !f.isBias(bias) ||
		f.tensors[weight].kind != Uint8 || f.tensors[weight].rank != 3 || f.tensors[scales].kind != Float32 || f.tensors[scales].rank != 2 {
		return false
	}
	if of.bits != 4 && of.bits != 8 || of.block%leastBlock != 0 || of.block < leastBlock || of.block > mostBlock || of.inner < 1 || of.inner > mostFeatures {
		return false
	}
	at, output, add := f.added(i, f.nodes[i].Outputs[0])
	x, activation, gated := f.activated(x, of.inner)
	f.put(at, node{operator: "BlockProduct", inputs: []string{x, weight, scales, bias, add}, outputs: []string{output},
		attributes: []attribute{integer("inner", of.inner), integer("bits", of.bits), integer("block", of.block), integer("activation", activation), integer("gated", gated)}})
	return true
}

// activated is the value that becomes x by an activation, and by which; gated is 1 if x is the activated first half of the
// value's columns, inner of them, times the second half.
func (f *fusing) activated(x string, inner int64) (value string, activation, gated int64) {
	if input, activation := f.activation(x); activation != 0 {
		return input, activation, 0
	}
	product, ok := f.from(x, "Mul")
	if !ok {
		return x, 0, 0
	}
	gate, activation := f.activation(product.Inputs[0])
	whole, first, width := f.part(gate)
	other, second, otherWidth := f.part(product.Inputs[1])
	if i, ok := f.producer[gate]; activation == 0 || !ok || len(f.nodes[i].Outputs) != 2 || whole != other || first != 0 || second != inner || width != inner || otherWidth != inner {
		return x, 0, 0
	}
	return whole, activation, 1
}

// activation is what a value is the activation of, and which of BlockProduct's that is; 0 where it is none.
func (f *fusing) activation(value string) (input string, activation int64) {
	i, ok := f.producer[value]
	if !ok || len(f.nodes[i].Inputs) != 1 {
		return value, 0
	}
	node := f.nodes[i]
	switch node.Operator {
	case "Relu":
		activation = 1
	case "Gelu":
		if approximate, err := hasAttribute(node.encoded, "approximate"); err == nil && !approximate {
			activation = 2
		}
	case "FastGelu":
		activation = 3
	case "QuickGelu":
		if alpha, err := decodeFloat(node.encoded, "alpha"); err == nil && alpha == 1 {
			activation = 4
		}
	}
	return node.Inputs[0], activation
}

// added is the sum of a value, which node i gives, and another that depends on an input, if nothing else reads the value: its
// node, what it gives, and what is added. Otherwise it is the value itself.
func (f *fusing) added(i int, value string) (at int, output, add string) {
	next, ok := f.only(value, "Add")
	if !ok {
		return i, value, ""
	}
	first, second := f.nodes[next].Inputs[0], f.nodes[next].Inputs[1]
	if second == value {
		first, second = second, first
	}
	if first != value || second == first || f.constant[second] {
		return i, value, ""
	}
	return next, f.nodes[next].Outputs[0], second
}

// decodeNBits reads the attributes of a node MatMulNBits.
func decodeNBits(message []byte) (of nBits, err error) {
	for name, to := range map[string]*int64{"K": &of.inner, "bits": &of.bits, "block_size": &of.block} {
		if *to, err = decodeInteger(message, name); err != nil {
			return nBits{}, err
		}
	}
	return of, nil
}

// hasAttribute says whether a node has an attribute of this name.
func hasAttribute(message []byte, name string) (has bool, err error) {
	err = eachAttribute(message, name, func(protowire.Number, []byte) error { has = true; return nil })
	return has, err
}
