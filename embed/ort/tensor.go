package ort

import (
	"fmt"
	"math"
	"slices"
)

// Type is the element type of a tensor.
type Type uint8

// The element types that sessions accept.
const (
	Float32 Type = iota + 1
	Int64
	Int32
	Int8
	Uint8
	Float16 // only as a declared model type; no tensor of it can be made
	Bool    // likewise
)

// String returns the type's name as ONNX writes it.
func (t Type) String() string {
	switch t {
	case Float32:
		return "float32"
	case Int64:
		return "int64"
	case Int32:
		return "int32"
	case Int8:
		return "int8"
	case Uint8:
		return "uint8"
	case Float16:
		return "float16"
	case Bool:
		return "bool"
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// Tensor is a shape and its elements in row-major order. It refers to the
// caller's slices and does not copy them: do not change them while a run uses
// them. The zero Tensor is no tensor.
type Tensor struct {
	shape    []int64
	kind     Type
	float32s []float32
	int64s   []int64
	int32s   []int32
	int8s    []int8
	uint8s   []uint8
}

// Float32Tensor returns a tensor over values. Run reports a shape that does not
// fit them.
func Float32Tensor(values []float32, shape ...int64) Tensor {
	return Tensor{kind: Float32, shape: shape, float32s: values}
}

// Int64Tensor returns a tensor over values.
func Int64Tensor(values []int64, shape ...int64) Tensor {
	return Tensor{kind: Int64, shape: shape, int64s: values}
}

// Int32Tensor returns a tensor over values.
func Int32Tensor(values []int32, shape ...int64) Tensor {
	return Tensor{kind: Int32, shape: shape, int32s: values}
}

// Int8Tensor returns a tensor over values.
func Int8Tensor(values []int8, shape ...int64) Tensor {
	return Tensor{kind: Int8, shape: shape, int8s: values}
}

// Uint8Tensor returns a tensor over values.
func Uint8Tensor(values []uint8, shape ...int64) Tensor {
	return Tensor{kind: Uint8, shape: shape, uint8s: values}
}

// Type returns the element type, 0 for the zero Tensor.
func (t Tensor) Type() Type { return t.kind }

// Shape returns the dimensions; the caller must not change them.
func (t Tensor) Shape() []int64 { return t.shape }

// Float32 returns the elements of a Float32 tensor, without a copy; nil for others.
func (t Tensor) Float32() []float32 { return t.float32s }

// Int64 returns the elements of an Int64 tensor, without a copy; nil for others.
func (t Tensor) Int64() []int64 { return t.int64s }

// Int32 returns the elements of an Int32 tensor, without a copy; nil for others.
func (t Tensor) Int32() []int32 { return t.int32s }

// Int8 returns the elements of an Int8 tensor, without a copy; nil for others.
func (t Tensor) Int8() []int8 { return t.int8s }

// Uint8 returns the elements of a Uint8 tensor, without a copy; nil for others.
func (t Tensor) Uint8() []uint8 { return t.uint8s }

func (t Tensor) length() int {
	switch t.kind {
	case Float32:
		return len(t.float32s)
	case Int64:
		return len(t.int64s)
	case Int32:
		return len(t.int32s)
	case Int8:
		return len(t.int8s)
	case Uint8:
		return len(t.uint8s)
	}
	return 0
}

// Value describes an input or output: its name, element type and shape, where -1
// stands for a dimension that may differ from run to run.
type Value struct {
	Name  string
	Type  Type
	Shape []int64
}

// String returns the value as name: type[dimensions].
func (v Value) String() string {
	return fmt.Sprintf("%s: %s%v", v.Name, v.Type, v.Shape)
}

// accepts reports why tensor cannot be given where v is declared.
func (v Value) accepts(tensor Tensor) error {
	if tensor.kind != v.Type {
		return fmt.Errorf("%s is %s, want %s", v.Name, tensor.kind, v.Type)
	}
	if len(tensor.shape) != len(v.Shape) {
		return fmt.Errorf("%s has shape %v, want %v", v.Name, tensor.shape, v.Shape)
	}
	for i, want := range v.Shape {
		if want >= 0 && tensor.shape[i] != want {
			return fmt.Errorf("%s has shape %v, want %v", v.Name, tensor.shape, v.Shape)
		}
	}
	count, err := elements(tensor.shape)
	if err != nil {
		return fmt.Errorf("%s: %w", v.Name, err)
	}
	if count != int64(tensor.length()) {
		return fmt.Errorf("%s has %d elements for shape %v", v.Name, tensor.length(), tensor.shape)
	}
	return nil
}

// elements returns the number of elements of a shape whose dimensions are known.
func elements(shape []int64) (int64, error) {
	count := int64(1)
	for _, dimension := range shape {
		if dimension < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		if dimension > 0 && count > math.MaxInt64/dimension {
			return 0, fmt.Errorf("shape %v is too large", shape)
		}
		count *= dimension
	}
	return count, nil
}

func cloneValues(values []Value) []Value {
	clone := slices.Clone(values)
	for i := range clone {
		clone[i].Shape = slices.Clone(clone[i].Shape)
	}
	return clone
}

// Description is what a graph says of itself.
type Description struct {
	Inputs, Outputs []Value
	Metadata        map[string]string
}
