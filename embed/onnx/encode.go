package onnx

import (
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// The versions written into every model file.
const (
	irVersion      = 9  // ONNX 1.15, the first with operator set 20
	operatorSet    = 20 // ai.onnx
	contribVersion = 1  // com.microsoft
	contribDomain  = "com.microsoft"
	producer       = "mekiki"
	dataExternal   = 1 // TensorProto.DataLocation.EXTERNAL
)

// The field numbers below are those of onnx.proto3, named in the comments.

func (g *Graph) encode() []byte {
	var model []byte
	model = appendInteger(model, 1, irVersion)                          // ModelProto.ir_version
	model = appendText(model, 2, producer)                              // producer_name
	model = appendMessage(model, 7, g.encodeGraph())                    // graph
	model = appendMessage(model, 8, encodeOperatorSet("", operatorSet)) // opset_import
	model = appendMessage(model, 8, encodeOperatorSet(contribDomain, contribVersion))
	for _, entry := range g.metadata {
		model = appendMessage(model, 14, encodeEntry(entry[0], entry[1])) // metadata_props
	}
	return model
}

func encodeOperatorSet(domain string, version int64) []byte {
	message := appendText(nil, 1, domain)     // OperatorSetIdProto.domain
	return appendInteger(message, 2, version) // version
}

func encodeEntry(key, value string) []byte {
	message := appendText(nil, 1, key)   // StringStringEntryProto.key
	return appendText(message, 2, value) // value
}

func (g *Graph) encodeGraph() []byte {
	var message []byte
	for i := range g.nodes {
		message = appendMessage(message, 1, g.nodes[i].encode()) // GraphProto.node
	}
	message = appendText(message, 2, g.name) // name
	for _, initializer := range g.initializers {
		message = appendMessage(message, 5, initializer.encode()) // initializer
	}
	for _, input := range g.inputs {
		message = appendMessage(message, 11, input.encode()) // input
	}
	for _, output := range g.outputs {
		message = appendMessage(message, 12, output.encode()) // output
	}
	return message
}

func (n *node) encode() []byte {
	var message []byte
	for _, input := range n.inputs {
		message = appendText(message, 1, input) // NodeProto.input
	}
	for _, output := range n.outputs {
		message = appendText(message, 2, output) // output
	}
	message = appendText(message, 3, n.name)     // name
	message = appendText(message, 4, n.operator) // op_type
	for _, attribute := range n.attributes {
		message = appendMessage(message, 5, attribute.encode()) // attribute
	}
	if n.domain != "" {
		message = appendText(message, 7, n.domain) // domain
	}
	return message
}

func (a attribute) encode() []byte {
	message := appendText(nil, 1, a.name) // AttributeProto.name
	switch a.kind {
	case floatAttribute:
		message = protowire.AppendTag(message, 2, protowire.Fixed32Type) // f
		message = protowire.AppendFixed32(message, math.Float32bits(a.float))
	case integerAttribute:
		message = appendInteger(message, 3, a.integer) // i
	case integersAttribute:
		for _, value := range a.integers {
			message = appendInteger(message, 8, value) // ints
		}
	}
	return appendInteger(message, 20, int64(a.kind)) // type
}

func (i initializer) encode() []byte {
	var message []byte
	for _, size := range i.tensor.Shape {
		message = appendInteger(message, 1, size) // TensorProto.dims
	}
	message = appendInteger(message, 2, int64(i.tensor.Type)) // data_type
	message = appendText(message, 8, i.name)                  // name
	location := i.tensor.External
	if location.File == "" {
		return appendMessage(message, 9, i.tensor.Raw) // raw_data
	}
	message = appendMessage(message, 13, encodeEntry("location", location.File)) // external_data
	message = appendMessage(message, 13, encodeEntry("offset", strconv.FormatInt(location.Offset, 10)))
	message = appendMessage(message, 13, encodeEntry("length", strconv.FormatInt(location.Length, 10)))
	return appendInteger(message, 14, dataExternal) // data_location
}

func (v Value) encode() []byte {
	var shape []byte
	for _, dimension := range v.Shape {
		var message []byte
		if dimension.Name != "" {
			message = appendText(message, 2, dimension.Name) // Dimension.dim_param
		} else {
			message = appendInteger(message, 1, dimension.Size) // dim_value
		}
		shape = appendMessage(shape, 1, message) // TensorShapeProto.dim
	}
	tensor := appendInteger(nil, 1, int64(v.Type))                  // TypeProto.Tensor.elem_type
	tensor = appendMessage(tensor, 2, shape)                        // shape
	message := appendText(nil, 1, v.Name)                           // ValueInfoProto.name
	return appendMessage(message, 2, appendMessage(nil, 1, tensor)) // type.tensor_type
}

func appendInteger(buffer []byte, field protowire.Number, value int64) []byte {
	buffer = protowire.AppendTag(buffer, field, protowire.VarintType)
	return protowire.AppendVarint(buffer, uint64(value))
}

func appendText(buffer []byte, field protowire.Number, value string) []byte {
	buffer = protowire.AppendTag(buffer, field, protowire.BytesType)
	return protowire.AppendString(buffer, value)
}

func appendMessage(buffer []byte, field protowire.Number, message []byte) []byte {
	buffer = protowire.AppendTag(buffer, field, protowire.BytesType)
	return protowire.AppendBytes(buffer, message)
}
