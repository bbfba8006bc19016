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

// Sigmoid is 1/(1+exp(-x)), element by element.
func (g *Graph) Sigmoid(x Value) Value {
	return g.one("", "Sigmoid", []Value{x}, x.Type, x.Shape)
}

// Gelu is the exact (erf) Gaussian error linear unit, element by element.
func (g *Graph) Gelu(x Value) Value {
	return g.one("", "Gelu", []Value{x}, x.Type, x.Shape)
}

// Cast converts the elements to another type.
func (g *Graph) Cast(x Value, to ElementType) Value {
	return g.one("", "Cast", []Value{x}, to, x.Shape, integer("to", int64(to)))
}

// Gather takes the rows of table [R ...] that indices (any shape) name.
func (g *Graph) Gather(table, indices Value) Value {
	if g.err != nil {
		return Value{}
	}
	if len(table.Shape) == 0 || indices.Type != Int64 {
		return g.fail("Gather", "table %v or index type %v does not fit", table.Shape, indices.Type)
	}
	shape := append(slices.Clone(indices.Shape), table.Shape[1:]...)
	return g.one("", "Gather", []Value{table, indices}, table.Type, shape, integer("axis", 0))
}

// Concat joins values along an axis; sum is the size of that axis afterwards.
func (g *Graph) Concat(axis int, sum Dimension, values ...Value) Value {
	if g.err != nil {
		return Value{}
	}
	first := values[0]
	for _, value := range values[1:] {
		if len(value.Shape) != len(first.Shape) || value.Type != first.Type {
			return g.fail("Concat", "%v and %v do not join", first.Shape, value.Shape)
		}
		for i := range value.Shape {
			if i != axis && value.Shape[i] != first.Shape[i] {
				return g.fail("Concat", "%v and %v do not join on axis %d", first.Shape, value.Shape, axis)
			}
		}
	}
	shape := slices.Clone(first.Shape)
	shape[axis] = sum
	return g.one("", "Concat", values, first.Type, shape, integer("axis", int64(axis)))
}

// Reshape gives x another shape of as many elements. A dynamic dimension that
// x has at the same place is copied; at most one other may be dynamic.
func (g *Graph) Reshape(x Value, shape Shape) Value {
	if g.err != nil {
		return Value{}
	}
	target := make([]int64, len(shape))
	inferred := 0
	for i, dimension := range shape {
		switch {
		case dimension.Name == "":
			target[i] = dimension.Size
		case i < len(x.Shape) && x.Shape[i] == dimension:
			target[i] = 0
		default:
			target[i] = -1
			inferred++
		}
	}
	if inferred > 1 {
		return g.fail("Reshape", "%v to %v leaves %d sizes open", x.Shape, shape, inferred)
	}
	from, fixedFrom := x.Shape.elements()
	to, fixedTo := shape.elements()
	if fixedFrom && fixedTo && from != to {
		return g.fail("Reshape", "%v and %v differ in size", x.Shape, shape)
	}
	return g.one("", "Reshape", []Value{x, g.Int64s(target...)}, x.Type, shape)
}

// Transpose reorders the axes: axis i of the result is axis order[i] of x.
func (g *Graph) Transpose(x Value, order ...int) Value {
	if g.err != nil {
		return Value{}
	}
	shape := make(Shape, len(order))
	axes := make([]int64, len(order))
	for i, axis := range order {
		if axis < 0 || axis >= len(x.Shape) || len(order) != len(x.Shape) {
			return g.fail("Transpose", "order %v does not fit %v", order, x.Shape)
		}
		shape[i], axes[i] = x.Shape[axis], int64(axis)
	}
	return g.one("", "Transpose", []Value{x}, x.Type, shape, integers("perm", axes...))
}

// Split cuts x along an axis into runs of the given sizes.
func (g *Graph) Split(x Value, axis int, sizes ...int) []Value {
	values := make([]Value, len(sizes))
	if g.err != nil {
		return values
	}
	var total int64
	lengths := make([]int64, len(sizes))
	results := make([]result, len(sizes))
	for i, size := range sizes {
		total += int64(size)
		lengths[i] = int64(size)
		shape := slices.Clone(x.Shape)
		shape[axis] = Fixed(size)
		results[i] = result{elementType: x.Type, shape: shape}
	}
	if x.Shape[axis] != (Dimension{Size: total}) {
		g.fail("Split", "sizes %v do not fill axis %d of %v", sizes, axis, x.Shape)
		return values
	}
	return g.add("", "Split", []Value{x, g.Int64s(lengths...)}, results, integer("axis", int64(axis)))
}

// Slice takes the run from start (included) to end (excluded) along an axis;
// length is the size of that axis afterwards. End may lie beyond the axis.
func (g *Graph) Slice(x Value, axis int, start, end int64, length Dimension) Value {
	return g.SliceTo(x, axis, start, g.Int64s(end), length)
}

// SliceTo is Slice with an end [1] computed while the graph runs.
func (g *Graph) SliceTo(x Value, axis int, start int64, end Value, length Dimension) Value {
	if g.err != nil {
		return Value{}
	}
	if axis < 0 || axis >= len(x.Shape) {
		return g.fail("Slice", "no axis %d in %v", axis, x.Shape)
	}
	shape := slices.Clone(x.Shape)
	shape[axis] = length
	return g.one("", "Slice", []Value{x, g.Int64s(start), end, g.Int64s(int64(axis))}, x.Type, shape)
}

// Size is the length of one axis of x, as a vector [1] of integers.
func (g *Graph) Size(x Value, axis int) Value {
	return g.one("", "Shape", []Value{x}, Int64, FixedShape(1),
		integer("start", int64(axis)), integer("end", int64(axis)+1))
}

// Expand repeats axes of size 1 of x until it has the given shape. like is a
// value whose first axis gives the size of every dynamic dimension.
func (g *Graph) Expand(x Value, like Value, shape Shape) Value {
	if g.err != nil {
		return Value{}
	}
	sizes := make([]Value, len(shape))
	for i, dimension := range shape {
		switch {
		case dimension.Name == "":
			sizes[i] = g.Int64s(dimension.Size)
		case len(like.Shape) > 0 && like.Shape[0] == dimension:
			sizes[i] = g.Size(like, 0)
		default:
			return g.fail("Expand", "size %v is not known from %v", dimension, like.Shape)
		}
	}
	return g.ExpandTo(x, g.Concat(0, Fixed(len(shape)), sizes...), shape)
}

// ExpandTo repeats axes of size 1 of x until it has the sizes given by the
// vector target, which shape describes.
func (g *Graph) ExpandTo(x, target Value, shape Shape) Value {
	if g.err != nil {
		return Value{}
	}
	if _, err := broadcast(x.Shape, shape); err != nil {
		return g.fail("Expand", "%w", err)
	}
	return g.one("", "Expand", []Value{x, target}, x.Type, shape)
}

// Unsqueeze inserts axes of size 1 at the given places of the result.
func (g *Graph) Unsqueeze(x Value, axes ...int) Value {
	shape := slices.Clone(x.Shape)
	places := make([]int64, len(axes))
	for i, axis := range axes {
		if axis < 0 || axis > len(shape) {
			return g.fail("Unsqueeze", "no place %d in %v", axis, x.Shape)
		}
		shape = slices.Insert(shape, axis, Fixed(1))
		places[i] = int64(axis)
	}
	return g.one("", "Unsqueeze", []Value{x, g.Int64s(places...)}, x.Type, shape)
}

// Squeeze makes a vector [1] a scalar.
func (g *Graph) Squeeze(x Value) Value {
	if g.err == nil && !x.Shape.equal(FixedShape(1)) {
		return g.fail("Squeeze", "%v is not a vector of one", x.Shape)
	}
	return g.one("", "Squeeze", []Value{x}, x.Type, nil)
}

// Range is the integers from 0 up to the scalar end, excluded; length names
// how many those are.
func (g *Graph) Range(end Value, length Dimension) Value {
	return g.one("", "Range", []Value{g.Int64(0), end, g.Int64(1)}, Int64, Shape{length})
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

// UnitRows divides each row of the last axis by its Euclidean length, or by
// 1e-12 where that is smaller.
func (g *Graph) UnitRows(x Value) Value {
	length := g.reduce("ReduceL2", x, len(x.Shape)-1, true)
	return g.Divide(x, g.Maximum(length, g.Float(1e-12)))
}

// SliceToEnd takes the run from start to the end of an axis; length is the
// size of that axis afterwards.
func (g *Graph) SliceToEnd(x Value, axis int, start int64, length Dimension) Value {
	return g.Slice(x, axis, start, 1<<62, length)
}
