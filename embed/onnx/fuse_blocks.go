package onnx

import "slices"

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
	f.put(at, node{operator: "BlockProduct", inputs: []string{x, weight, scales, bias, add}, outputs: []string{output},
		attributes: []attribute{integer("inner", of.inner), integer("bits", of.bits), integer("block", of.block)}})
	return true
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
