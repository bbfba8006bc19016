package onnx

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrEncoding means that bytes are not an encoded model.
var ErrEncoding = errors.New("not an ONNX model")

// Node is a node of an encoded model. Inputs and outputs are names of values; a
// missing optional input is "".
type Node struct {
	Operator        string
	Inputs, Outputs []string
}

// Nodes lists the nodes of an encoded model, in their order.
func Nodes(model []byte) ([]Node, error) {
	var nodes []Node
	err := eachField(model, func(field protowire.Number, graph []byte) error {
		if field != 7 { // ModelProto.graph
			return nil
		}
		return eachField(graph, func(field protowire.Number, message []byte) error {
			if field != 1 { // GraphProto.node
				return nil
			}
			node, err := decodeNode(message)
			nodes = append(nodes, node)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return nodes, nil
}

func decodeNode(message []byte) (node Node, err error) {
	err = eachField(message, func(field protowire.Number, content []byte) error {
		switch field {
		case 1: // NodeProto.input
			node.Inputs = append(node.Inputs, string(content))
		case 2: // output
			node.Outputs = append(node.Outputs, string(content))
		case 4: // op_type
			node.Operator = string(content)
		}
		return nil
	})
	return node, err
}

// eachField calls do with every field of a message that has bytes, and passes over
// the others.
func eachField(message []byte, do func(field protowire.Number, content []byte) error) error {
	for len(message) > 0 {
		field, kind, length := protowire.ConsumeTag(message)
		if length < 0 {
			return fmt.Errorf("%w: %w", ErrEncoding, protowire.ParseError(length))
		}
		message = message[length:]
		if kind != protowire.BytesType {
			if length = protowire.ConsumeFieldValue(field, kind, message); length < 0 {
				return fmt.Errorf("%w: %w", ErrEncoding, protowire.ParseError(length))
			}
			message = message[length:]
			continue
		}
		content, length := protowire.ConsumeBytes(message)
		if length < 0 {
			return fmt.Errorf("%w: %w", ErrEncoding, protowire.ParseError(length))
		}
		message = message[length:]
		if err := do(field, content); err != nil {
			return err
		}
	}
	return nil
}

// AddOutputs returns an encoded model that also gives values from its inside, under
// names of their own: outputs has the values' names by the new ones. All must be
// float32. Nothing of the model is read: what is added stands after it, and readers
// join messages of one field as the format asks.
func AddOutputs(model []byte, outputs map[string]string) []byte {
	var graph []byte
	for name, value := range outputs {
		added := node{operator: "Identity", name: "output/" + name, inputs: []string{value}, outputs: []string{name}}
		graph = appendMessage(graph, 1, added.encode()) // GraphProto.node
		tensor := appendInteger(nil, 1, int64(Float32)) // TypeProto.Tensor.elem_type, without a shape
		output := appendText(nil, 1, name)              // ValueInfoProto.name
		output = appendMessage(output, 2, appendMessage(nil, 1, tensor))
		graph = appendMessage(graph, 12, output) // GraphProto.output
	}
	return appendMessage(model[:len(model):len(model)], 7, graph) // ModelProto.graph
}
