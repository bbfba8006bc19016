package ort

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Model is what the header of an ONNX file says, without its weights.
type Model struct {
	// Inputs leaves out those that merely name initialisers.
	Inputs, Outputs []Value
	// External lists the files that hold weights, relative to the model's folder
	// and inside it, sorted.
	External []string
}

// Inspect reads the header of the ONNX file at path. It reads no weights, so it
// is quick for files of any size, and takes little memory for hostile ones.
// Trouble with the contents is ErrModel.
func Inspect(path string) (Model, error) {
	file, err := os.Open(path)
	if err != nil {
		return Model{}, fmt.Errorf("read model: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Model{}, fmt.Errorf("read model: %w", err)
	}
	model, err := readModel(file, info.Size())
	if err != nil {
		return Model{}, fmt.Errorf("read model %s: %w", path, err)
	}
	return model, nil
}

// Bounds on what a header may hold.
const (
	maximumText   = 4096 // bytes of a name or location
	maximumValues = 4096 // inputs, outputs or external files
	maximumRank   = 32
	maximumDepth  = 16 // of graphs inside attributes
)

// Field numbers of onnx.proto3, from the ONNX repository.
const (
	modelGraph, modelFunctions                          = 7, 25
	graphNode, graphInitializer, graphInput, graphOuput = 1, 5, 11, 12
	graphSparse                                         = 15
	functionNode                                        = 7
	nodeAttribute                                       = 5
	attributeTensor, attributeGraph                     = 5, 6
	attributeTensors, attributeGraphs                   = 10, 11
	attributeSparse, attributeSparses                   = 22, 23
	sparseValues, sparseIndices                         = 1, 2
	valueName, valueType                                = 1, 2
	typeTensor                                          = 1
	tensorElement, tensorShape                          = 1, 2
	shapeDimension                                      = 1
	dimensionValue                                      = 1
	tensorName, tensorExternal                          = 8, 13
	entryKey, entryValue                                = 1, 2
)

// elementTypes maps ONNX's element type numbers to ours.
var elementTypes = map[uint64]Type{1: Float32, 2: Uint8, 3: Int8, 6: Int32, 7: Int64, 9: Bool, 10: Float16}

// header collects what the walk finds.
type header struct {
	model        Model
	initializers map[string]bool
	external     map[string]bool
}

func readModel(source io.ReaderAt, size int64) (Model, error) {
	found := header{initializers: map[string]bool{}, external: map[string]bool{}}
	walk := cursor{source: source, end: size}
	graphs := 0
	err := walk.fields(func(number int, body cursor) error {
		switch number {
		case modelGraph:
			graphs++
			return found.graph(body, 0)
		case modelFunctions:
			return body.fields(func(number int, body cursor) error {
				if number == functionNode {
					return found.node(body, 1)
				}
				return nil
			})
		}
		return nil
	})
	if err == nil && graphs != 1 {
		err = fmt.Errorf("it holds %d graphs", graphs)
	}
	if err != nil {
		return Model{}, fmt.Errorf("%w: not a sound ONNX file: %w", ErrModel, err)
	}
	found.model.Inputs = slices.DeleteFunc(found.model.Inputs, func(value Value) bool {
		return found.initializers[value.Name]
	})
	for name := range found.external {
		found.model.External = append(found.model.External, name)
	}
	slices.Sort(found.model.External)
	return found.model, nil
}

func (h *header) graph(graph cursor, depth int) error {
	if depth > maximumDepth {
		return errors.New("graphs are nested too deeply")
	}
	return graph.fields(func(number int, body cursor) error {
		switch number {
		case graphNode:
			return h.node(body, depth+1)
		case graphInitializer:
			return h.tensor(body, depth == 0)
		case graphSparse:
			return h.sparse(body)
		case graphInput:
			if depth == 0 {
				return appendValue(&h.model.Inputs, body)
			}
		case graphOuput:
			if depth == 0 {
				return appendValue(&h.model.Outputs, body)
			}
		}
		return nil
	})
}

func (h *header) node(node cursor, depth int) error {
	return node.fields(func(number int, body cursor) error {
		if number != nodeAttribute {
			return nil
		}
		return body.fields(func(number int, body cursor) error {
			switch number {
			case attributeTensor, attributeTensors:
				return h.tensor(body, false)
			case attributeSparse, attributeSparses:
				return h.sparse(body)
			case attributeGraph, attributeGraphs:
				return h.graph(body, depth)
			}
			return nil
		})
	})
}

func (h *header) sparse(tensor cursor) error {
	return tensor.fields(func(number int, body cursor) error {
		if number == sparseValues || number == sparseIndices {
			return h.tensor(body, false)
		}
		return nil
	})
}

// tensor notes an initialiser's name and where its data is.
func (h *header) tensor(tensor cursor, named bool) error {
	return tensor.fields(func(number int, body cursor) error {
		switch number {
		case tensorName:
			if !named {
				return nil
			}
			name, err := body.text()
			h.initializers[name] = true
			return err
		case tensorExternal:
			return h.externalEntry(body)
		}
		return nil
	})
}

func (h *header) externalEntry(entry cursor) error {
	var key, value string
	err := entry.fields(func(number int, body cursor) (err error) {
		switch number {
		case entryKey:
			key, err = body.text()
		case entryValue:
			value, err = body.text()
		}
		return err
	})
	if err != nil || key != "location" {
		return err
	}
	if !filepath.IsLocal(value) || strings.ContainsAny(value, "\\\x00") {
		return fmt.Errorf("weights lie outside the model's folder: %q", value)
	}
	h.external[filepath.Clean(filepath.FromSlash(value))] = true
	if len(h.external) > maximumValues {
		return errors.New("too many external files")
	}
	return nil
}

func appendValue(values *[]Value, body cursor) error {
	if len(*values) >= maximumValues {
		return errors.New("too many inputs or outputs")
	}
	var value Value
	err := body.fields(func(number int, body cursor) (err error) {
		switch number {
		case valueName:
			value.Name, err = body.text()
		case valueType:
			err = body.fields(func(number int, body cursor) error {
				if number == typeTensor {
					return readTensorType(&value, body)
				}
				return nil
			})
		}
		return err
	})
	*values = append(*values, value)
	return err
}

func readTensorType(value *Value, body cursor) error {
	return body.fields(func(number int, body cursor) error {
		switch number {
		case tensorElement:
			value.Type = elementTypes[body.number]
		case tensorShape:
			return body.fields(func(number int, body cursor) error {
				if number != shapeDimension {
					return nil
				}
				if len(value.Shape) >= maximumRank {
					return errors.New("too many dimensions")
				}
				dimension := int64(-1)
				err := body.fields(func(number int, body cursor) error {
					if number == dimensionValue {
						dimension = int64(body.number)
					}
					return nil
				})
				value.Shape = append(value.Shape, dimension)
				return err
			})
		}
		return nil
	})
}
