package onnx

import (
	"fmt"
	"slices"
)

// This file holds the operators of the ai.onnx domain. Each method adds one
// node and returns what it produces; the doc comments give shapes.

// MatMul multiplies a [... M K] by b [K N] (or [... K N] of the same rank)
// into [... M N].
func (g *Graph) MatMul(a, b Value) Value {
	shape, err := matMulShape(a.Shape, b.Shape)
	if err != nil {
		return g.fail("MatMul", "%w", err)
	}
	return g.one("", "MatMul", []Value{a, b}, a.Type, shape)
}

func matMulShape(a, b Shape) (Shape, error) {
	if len(a) < 2 || len(b) < 2 || (len(b) != 2 && len(b) != len(a)) {
		return nil, fmt.Errorf("cannot multiply %v by %v", a, b)
	}
	inner := a[len(a)-1]
	if inner != b[len(b)-2] {
		return nil, fmt.Errorf("inner sizes of %v and %v differ", a, b)
	}
	shape := slices.Clone(a)
	shape[len(shape)-1] = b[len(b)-1]
	if len(b) > 2 {
		outer, err := broadcast(a[:len(a)-2], b[:len(b)-2])
		if err != nil {
			return nil, err
		}
		copy(shape, outer)
	}
	return shape, nil
}

// broadcast is the shape of an elementwise operation on both shapes.
func broadcast(a, b Shape) (Shape, error) {
	rank := max(len(a), len(b))
	shape := make(Shape, rank)
	one := Fixed(1)
	for i := range rank {
		left, right := one, one
		if at := i - (rank - len(a)); at >= 0 {
			left = a[at]
		}
		if at := i - (rank - len(b)); at >= 0 {
			right = b[at]
		}
		switch {
		case left == right, right == one:
			shape[i] = left
		case left == one:
			shape[i] = right
		default:
			return nil, fmt.Errorf("shapes %v and %v do not broadcast", a, b)
		}
	}
	return shape, nil
}

// elementwise adds a two-operand operator with broadcasting.
func (g *Graph) elementwise(operator string, a, b Value) Value {
	if g.err != nil {
		return Value{}
	}
	if a.Type != b.Type {
		return g.fail(operator, "types %v and %v differ", a.Type, b.Type)
	}
	shape, err := broadcast(a.Shape, b.Shape)
	if err != nil {
		return g.fail(operator, "%w", err)
	}
	return g.one("", operator, []Value{a, b}, a.Type, shape)
}

// Add is a + b with broadcasting.
func (g *Graph) Add(a, b Value) Value { return g.elementwise("Add", a, b) }

// Subtract is a - b with broadcasting.
func (g *Graph) Subtract(a, b Value) Value { return g.elementwise("Sub", a, b) }

// Multiply is a * b with broadcasting.
func (g *Graph) Multiply(a, b Value) Value { return g.elementwise("Mul", a, b) }

// Divide is a / b with broadcasting.
func (g *Graph) Divide(a, b Value) Value { return g.elementwise("Div", a, b) }

// Maximum is the larger of a and b with broadcasting.
func (g *Graph) Maximum(a, b Value) Value { return g.elementwise("Max", a, b) }

// Minimum is the smaller of a and b with broadcasting.
func (g *Graph) Minimum(a, b Value) Value { return g.elementwise("Min", a, b) }

// Greater is a > b with broadcasting, as booleans.
func (g *Graph) Greater(a, b Value) Value {
	value := g.elementwise("Greater", a, b)
	return g.retype(value, Bool)
}

// retype corrects the element type of a value just produced.
func (g *Graph) retype(value Value, elementType ElementType) Value {
	value.Type = elementType
	return value
}

// Equal is a = b with broadcasting, as booleans.
func (g *Graph) Equal(a, b Value) Value {
	value := g.elementwise("Equal", a, b)
	return g.retype(value, Bool)
}

// Where picks from a where condition holds, else from b, with broadcasting.
func (g *Graph) Where(condition, a, b Value) Value {
	if g.err != nil {
		return Value{}
	}
	if condition.Type != Bool || a.Type != b.Type {
		return g.fail("Where", "types %v, %v, %v do not fit", condition.Type, a.Type, b.Type)
	}
	shape, err := broadcast(a.Shape, b.Shape)
	if err == nil {
		shape, err = broadcast(condition.Shape, shape)
	}
	if err != nil {
		return g.fail("Where", "%w", err)
	}
	return g.one("", "Where", []Value{condition, a, b}, a.Type, shape)
}

// Absolute is |x|, element by element.
func (g *Graph) Absolute(x Value) Value {
	return g.one("", "Abs", []Value{x}, x.Type, x.Shape)
}

// Log is the natural logarithm, element by element.
func (g *Graph) Log(x Value) Value {
	return g.one("", "Log", []Value{x}, x.Type, x.Shape)
}

// Relu is the larger of x and 0, element by element.
func (g *Graph) Relu(x Value) Value {
	return g.one("", "Relu", []Value{x}, x.Type, x.Shape)
}

// Gelu is the exact (erf) Gaussian error linear unit, element by element.
func (g *Graph) Gelu(x Value) Value {
	return g.one("", "Gelu", []Value{x}, x.Type, x.Shape)
}

// Cast converts the elements to another type.
func (g *Graph) Cast(x Value, to ElementType) Value {
	return g.one("", "Cast", []Value{x}, to, x.Shape, integer("to", int64(to)))
}

// Conv is a two-dimensional convolution of x [B C H W] by weight [O C K K]
// and an optional bias [O], with a stride equal to the kernel size and no
// padding: one output per patch, [B O H/K W/K].
func (g *Graph) Conv(x, weight, bias Value) Value {
	if g.err != nil {
		return Value{}
	}
	if len(x.Shape) != 4 || len(weight.Shape) != 4 || x.Shape[1] != weight.Shape[1] || weight.Shape[2] != weight.Shape[3] {
		return g.fail("Conv", "image %v and kernel %v do not fit", x.Shape, weight.Shape)
	}
	size := weight.Shape[2].Size
	if x.Shape[2].Name != "" || x.Shape[3].Name != "" || x.Shape[2].Size < size || x.Shape[3].Size < size {
		return g.fail("Conv", "image %v is smaller than kernel %v or of unknown size", x.Shape, weight.Shape)
	}
	shape := Shape{x.Shape[0], weight.Shape[0],
		{Size: x.Shape[2].Size / size}, {Size: x.Shape[3].Size / size}}
	return g.one("", "Conv", []Value{x, weight, bias}, x.Type, shape,
		integers("kernel_shape", size, size), integers("strides", size, size))
}

// LayerNorm normalises the last axis of x to mean 0 and variance 1, then
// scales by gamma and adds beta, both [size of that axis].
func (g *Graph) LayerNorm(x, gamma, beta Value, epsilon float64) Value {
	if g.err != nil {
		return Value{}
	}
	last := x.Shape[len(x.Shape)-1:]
	if !gamma.Shape.equal(last) || !beta.Shape.equal(last) {
		return g.fail("LayerNormalization", "scale %v and shift %v do not fit %v", gamma.Shape, beta.Shape, x.Shape)
	}
	return g.one("", "LayerNormalization", []Value{x, gamma, beta}, x.Type, x.Shape,
		integer("axis", -1), float("epsilon", float32(epsilon)))
}

// reduce adds an operator that reduces one axis of x.
func (g *Graph) reduce(operator string, x Value, axis int, keep bool) Value {
	if g.err != nil {
		return Value{}
	}
	if axis < 0 || axis >= len(x.Shape) {
		return g.fail(operator, "no axis %d in %v", axis, x.Shape)
	}
	shape := slices.Clone(x.Shape)
	kept := int64(0)
	if keep {
		shape[axis], kept = Fixed(1), 1
	} else {
		shape = slices.Delete(shape, axis, axis+1)
	}
	return g.one("", operator, []Value{x, g.Int64s(int64(axis))}, x.Type, shape, integer("keepdims", kept))
}

// Mean averages over an axis, which is dropped.
func (g *Graph) Mean(x Value, axis int) Value { return g.reduce("ReduceMean", x, axis, false) }

// SumOfSquares adds the squares over an axis, which is dropped.
func (g *Graph) SumOfSquares(x Value, axis int) Value {
	return g.reduce("ReduceSumSquare", x, axis, false)
}

// Largest is the largest element over an axis, which is kept with size 1.
func (g *Graph) Largest(x Value, axis int) Value { return g.reduce("ReduceMax", x, axis, true) }

// LargestAt is the place, counted from 0, of the largest element over an axis, which is dropped; of equal ones the first.
func (g *Graph) LargestAt(x Value, axis int) Value {
	if g.err != nil {
		return Value{}
	}
	if axis < 0 || axis >= len(x.Shape) {
		return g.fail("ArgMax", "no axis %d in %v", axis, x.Shape)
	}
	return g.one("", "ArgMax", []Value{x}, Int64, slices.Delete(slices.Clone(x.Shape), axis, axis+1),
		integer("axis", int64(axis)), integer("keepdims", 0))
}

// Sort orders each row of the last axis, of known size, and says where each element was: the largest first when
// descending, else the smallest.
func (g *Graph) Sort(x Value, descending bool) (sorted, places Value) {
	if g.err != nil {
		return
	}
	if len(x.Shape) == 0 || x.Shape[len(x.Shape)-1].Name != "" {
		g.fail("TopK", "the last axis of %v is of unknown size", x.Shape)
		return
	}
	largest := int64(0)
	if descending {
		largest = 1
	}
	values := g.add("", "TopK", []Value{x, g.Int64s(x.Shape[len(x.Shape)-1].Size)},
		[]result{{x.Type, x.Shape}, {Int64, x.Shape}}, integer("axis", -1), integer("largest", largest), integer("sorted", 1))
	return values[0], values[1]
}

// UnitRows divides each row of the last axis by its Euclidean length, or by
// 1e-12 where that is smaller.
func (g *Graph) UnitRows(x Value) Value {
	length := g.reduce("ReduceL2", x, len(x.Shape)-1, true)
	return g.Divide(x, g.Maximum(length, g.Float(1e-12)))
}
