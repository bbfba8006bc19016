package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// The inputs of ONNX Runtime's MultiHeadAttention.
const (
	attentionQuery = iota
	attentionKey
	attentionValue
	attentionBias
	attentionPadding
	attentionScoreBias
)

// fuseAttention replaces the attention at node i, if its queries come from a product of 8-bit integers, whose errors are far
// larger than those of the 16-bit floats that FusedAttention multiplies. Where query, key or value is a part of a Split, it
// reads the whole: nothing is copied.
func (f *fusing) fuseAttention(i int) bool {
	one := f.nodes[i]
	if one.Operator != "MultiHeadAttention" || f.constant[one.Outputs[0]] || !f.isProduct(one.Inputs[attentionQuery]) {
		return false
	}
	inputs := slices.Concat(one.Inputs, make([]string, 8))
	if inputs[attentionPadding] != "" || slices.ContainsFunc(inputs[attentionScoreBias+1:], func(name string) bool { return name != "" }) {
		return false
	}
	heads, scale, err := decodeAttention(one.encoded)
	if err != nil || heads < 1 || heads > math.MaxInt32 {
		return false
	}
	if f.hasHeads(inputs[attentionKey]) || f.hasHeads(inputs[attentionValue]) {
		return false
	}
	made := node{operator: "FusedAttention", outputs: one.Outputs, attributes: []attribute{integer("heads", heads), float("scale", scale)}}
	made.attributes = append(made.attributes, f.without()...)
	if f.options.Float32Attention {
		made.attributes = append(made.attributes, integer("float32", 1))
	}
	for at, name := range []string{"query", "key", "value"} {
		whole, from, width := f.part(inputs[at])
		made.inputs = append(made.inputs, whole)
		made.attributes = append(made.attributes, integer(name, from))
		if at == attentionQuery {
			made.attributes = append(made.attributes, integer("width", width))
		}
	}
	made.inputs = append(made.inputs, inputs[attentionBias], inputs[attentionScoreBias])
	f.put(i, made)
	return true
}

// hasHeads says whether keys or values may be cut into heads, [batch heads rows depth], rather than rows that hold all heads.
func (f *fusing) hasHeads(value string) bool {
	for range mostTraced {
		if rank, ok := f.ranks[value]; ok {
			return rank != 3
		}
		i, ok := f.producer[value]
		if !ok {
			return f.tensors[value].rank != 3
		}
		switch node := f.nodes[i]; node.Operator {
		case "Transpose", "Reshape":
			return true
		case "Split", "Slice":
			value = node.Inputs[0]
		default:
			return false // products and sums of rows
		}
	}
	return true
}

// isProduct says whether a value is rows and columns of what a fused product gives.
func (f *fusing) isProduct(value string) bool {
	for range mostTraced {
		i, ok := f.producer[value]
		if !ok {
			return false
		}
		switch node := f.nodes[i]; node.Operator {
		case "QuantizedProduct":
			return true
		case "Split", "Slice", "Reshape":
			value = node.Inputs[0]
		default:
			return false
		}
	}
	return false
}

// part is the value of which another is columns, the first of them, and how many; of other values themselves, and 0.
func (f *fusing) part(value string) (whole string, from, width int64) {
	i, ok := f.producer[value]
	if !ok || f.nodes[i].Operator != "Split" || len(f.nodes[i].Inputs) != 2 {
		return value, 0, 0
	}
	split := f.nodes[i]
	sizes, ok := f.tensors[split.Inputs[1]]
	axis, err := decodeInteger(split.encoded, "axis")
	if !ok || err != nil || axis != 2 || sizes.kind != Int64 || len(sizes.raw) != 8*len(split.Outputs) {
		return value, 0, 0
	}
	for at, name := range split.Outputs {
		size := int64(binary.LittleEndian.Uint64(sizes.raw[8*at:]))
		if size < 1 || size > mostFeatures {
			return value, 0, 0
		}
		if name == value {
			return split.Inputs[0], from, size
		}
		from += size
	}
	return value, 0, 0
}

// decodeAttention reads the attributes of an attention.
func decodeAttention(message []byte) (heads int64, scale float32, err error) {
	if heads, err = decodeInteger(message, "num_heads"); err != nil {
		return 0, 0, err
	}
	scale, err = decodeFloat(message, "scale")
	return heads, scale, err
}

// decodeFloat reads an attribute that is a float; 0 where it is missing.
func decodeFloat(message []byte, name string) (value float32, err error) {
	err = eachAttribute(message, name, func(field protowire.Number, content []byte) error {
		if field == 2 { // AttributeProto.f
			bits, length := protowire.ConsumeFixed32(content)
			if length < 0 {
				return fmt.Errorf("%w: %w", ErrEncoding, protowire.ParseError(length))
			}
			value = math.Float32frombits(bits)
		}
		return nil
	})
	return value, err
}

// decodeRank reads the name of a graph's input and how many sizes it has.
func decodeRank(message []byte) (name string, rank int, err error) {
	err = eachField(message, func(field protowire.Number, content []byte) error {
		switch field {
		case 1: // ValueInfoProto.name
			name = string(content)
		case 2: // type
			return eachField(content, func(field protowire.Number, tensor []byte) error {
				if field != 1 { // TypeProto.tensor_type
					return nil
				}
				return eachField(tensor, func(field protowire.Number, shape []byte) error {
					if field != 2 { // TypeProto.Tensor.shape
						return nil
					}
					return eachField(shape, func(field protowire.Number, _ []byte) error {
						if field == 1 { // TensorShapeProto.dim
							rank++
						}
						return nil
					})
				})
			})
		}
		return nil
	})
	return name, rank, err
}

// decodeInteger reads an attribute that is an integer; 0 where it is missing.
func decodeInteger(message []byte, name string) (value int64, err error) {
	err = eachAttribute(message, name, func(field protowire.Number, content []byte) error {
		if field == 3 { // AttributeProto.i
			number, length := protowire.ConsumeVarint(content)
			if length < 0 {
				return fmt.Errorf("%w: %w", ErrEncoding, protowire.ParseError(length))
			}
			value = int64(number)
		}
		return nil
	})
	return value, err
}

// eachAttribute calls do with every field of a node's attribute, and its content as it is encoded.
func eachAttribute(message []byte, wanted string, do func(field protowire.Number, content []byte) error) error {
	return eachField(message, func(field protowire.Number, attribute []byte) error {
		if field != 5 { // NodeProto.attribute
			return nil
		}
		var name string
		if err := eachField(attribute, func(field protowire.Number, content []byte) error {
			if field == 1 { // AttributeProto.name
				name = string(content)
			}
			return nil
		}); err != nil || name != wanted {
			return err
		}
		return eachRaw(attribute, func(field protowire.Number, raw, _ []byte) error {
			_, kind, length := protowire.ConsumeTag(raw)
			if field == 2 && kind != protowire.Fixed32Type || field == 3 && kind != protowire.VarintType {
				return fmt.Errorf("%w: attribute %s", ErrEncoding, name)
			}
			return do(field, raw[length:])
		})
	})
}
