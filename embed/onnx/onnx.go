// Package onnx writes ONNX model files.
//
// It knows operators and the file format, not models: a [Graph] is built node
// by node, shapes are checked while building, and [Graph.Write] encodes the
// result. Weights may live inside the model file or, shared between several
// models and without a size limit, in a [DataFile] beside it. A data file is
// written as a stream, so that a caller needs memory for one tensor at a time.
//
// Operators come from the ai.onnx domain, operator set 20, and from ONNX
// Runtime's com.microsoft domain, version 1.
package onnx

import (
	"fmt"
	"strings"
)

// ElementType is the type of a tensor's elements, numbered as in ONNX's
// TensorProto.DataType.
type ElementType int32

// The element types that the graphs of this module use.
const (
	Float32 ElementType = 1
	Uint8   ElementType = 2
	Int8    ElementType = 3
	Int32   ElementType = 6
	Int64   ElementType = 7
	Bool    ElementType = 9
	Float16 ElementType = 10
)

// Size is the number of bytes of one element; zero for an unknown type.
func (t ElementType) Size() int64 {
	switch t {
	case Uint8, Int8, Bool:
		return 1
	case Float16:
		return 2
	case Float32, Int32:
		return 4
	case Int64:
		return 8
	}
	return 0
}

// String names the type as ONNX does.
func (t ElementType) String() string {
	switch t {
	case Float32:
		return "float"
	case Uint8:
		return "uint8"
	case Int8:
		return "int8"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Bool:
		return "bool"
	case Float16:
		return "float16"
	}
	return fmt.Sprintf("ElementType(%d)", int32(t))
}

// Dimension is one axis of a shape: a fixed size, or a name for a size that
// is known only when the graph runs. Two dimensions of one name are equal.
type Dimension struct {
	Size int64  // the size when Name is empty
	Name string // a symbolic size, such as "batch"
}

// Fixed is a dimension of a known size.
func Fixed(size int) Dimension { return Dimension{Size: int64(size)} }

// Dynamic is a dimension known by name until the graph runs.
func Dynamic(name string) Dimension { return Dimension{Name: name} }

// String is the size or the name.
func (d Dimension) String() string {
	if d.Name != "" {
		return d.Name
	}
	return fmt.Sprint(d.Size)
}

// Shape is the list of a tensor's dimensions, outermost first.
type Shape []Dimension

// FixedShape is a shape of known sizes.
func FixedShape(sizes ...int) Shape {
	shape := make(Shape, len(sizes))
	for i, size := range sizes {
		shape[i] = Fixed(size)
	}
	return shape
}

// String lists the dimensions in brackets.
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, dimension := range s {
		parts[i] = dimension.String()
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// elements is the number of elements, and false when a dimension is dynamic.
func (s Shape) elements() (int64, bool) {
	count := int64(1)
	for _, dimension := range s {
		if dimension.Name != "" {
			return 0, false
		}
		count *= dimension.Size
	}
	return count, true
}

// equal reports whether both shapes have the same dimensions.
func (s Shape) equal(other Shape) bool {
	if len(s) != len(other) {
		return false
	}
	for i := range s {
		if s[i] != other[i] {
			return false
		}
	}
	return true
}

// Value is a tensor inside a graph: an input, an initializer, or what a node
// produced. The zero Value stands for an optional input that is left out.
type Value struct {
	Name  string
	Type  ElementType
	Shape Shape
}

// Missing reports whether the value stands for an omitted optional input.
func (v Value) Missing() bool { return v.Name == "" }

// Tensor is a constant that nodes read: its type, its shape, and either its
// bytes (little endian, row-major) or the place of those bytes in a data file.
type Tensor struct {
	Type     ElementType
	Shape    []int64
	Raw      []byte   // the bytes, when the tensor is stored in the model file
	External Location // where the bytes are, when File is not empty
}

// Location is a run of bytes in a data file beside the model file.
type Location struct {
	File   string // a plain file name, in the folder of the model file
	Offset int64  // bytes from the start of the file
	Length int64  // bytes
}

// bytes is the size that type and shape call for.
func (t Tensor) bytes() int64 {
	count := t.Type.Size()
	for _, size := range t.Shape {
		count *= size
	}
	return count
}

// validate checks that the stored bytes match type and shape.
func (t Tensor) validate() error {
	if t.Type.Size() == 0 {
		return fmt.Errorf("element type %v is not supported", t.Type)
	}
	for _, size := range t.Shape {
		if size < 0 {
			return fmt.Errorf("negative dimension in %v", t.Shape)
		}
	}
	length := int64(len(t.Raw))
	if t.External.File != "" {
		length = t.External.Length
	}
	if want := t.bytes(); length != want {
		return fmt.Errorf("%v tensor of shape %v needs %d bytes, not %d", t.Type, t.Shape, want, length)
	}
	return nil
}
