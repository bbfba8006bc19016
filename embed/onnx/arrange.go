package onnx

import "slices"

// This file holds the ai.onnx operators that move elements without computing.

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

// GatherRows takes of each x[b] of x [B T ...] the row that indices [B] name: [B ...].
func (g *Graph) GatherRows(x, indices Value) Value {
	if g.err != nil {
		return Value{}
	}
	if len(x.Shape) < 2 || indices.Type != Int64 || !indices.Shape.equal(x.Shape[:1]) {
		return g.fail("GatherND", "rows %v of %v or index type %v do not fit", indices.Shape, x.Shape, indices.Type)
	}
	shape := append(slices.Clone(x.Shape[:1]), x.Shape[2:]...)
	return g.one("", "GatherND", []Value{x, g.Unsqueeze(indices, 1)}, x.Type, shape, integer("batch_dims", 1))
}

// PickRows takes of each x[b] of x [B T ...] the rows that indices [B U] name, in their order: [B U ...].
func (g *Graph) PickRows(x, indices Value) Value {
	if g.err != nil {
		return Value{}
	}
	if len(x.Shape) < 2 || indices.Type != Int64 || len(indices.Shape) != 2 || indices.Shape[0] != x.Shape[0] {
		return g.fail("GatherND", "rows %v of %v or index type %v do not fit", indices.Shape, x.Shape, indices.Type)
	}
	shape := append(slices.Clone(indices.Shape), x.Shape[2:]...)
	return g.one("", "GatherND", []Value{x, g.Unsqueeze(indices, 2)}, x.Type, shape, integer("batch_dims", 1))
}

// PlaceEach is x [B T] with the elements of each row that indices [B U] name replaced by updates [B U].
func (g *Graph) PlaceEach(x, indices, updates Value) Value {
	if g.err != nil {
		return Value{}
	}
	if len(x.Shape) != 2 || len(indices.Shape) != 2 || indices.Type != Int64 || indices.Shape[0] != x.Shape[0] ||
		!indices.Shape.equal(updates.Shape) || updates.Type != x.Type {
		return g.fail("ScatterElements", "indices %v and updates %v do not fit %v", indices.Shape, updates.Shape, x.Shape)
	}
	return g.one("", "ScatterElements", []Value{x, indices, updates}, x.Type, x.Shape, integer("axis", 1))
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

// ReshapeTo gives x the sizes of the vector target, which shape describes; one of them may be -1, for what is left.
func (g *Graph) ReshapeTo(x, target Value, shape Shape) Value {
	if g.err == nil && (target.Type != Int64 || !target.Shape.equal(FixedShape(len(shape)))) {
		return g.fail("Reshape", "target %v%v does not describe %v", target.Type, target.Shape, shape)
	}
	return g.one("", "Reshape", []Value{x, target}, x.Type, shape)
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

// EveryOther takes of an axis of known size every second element from start on, which is 0 or 1.
func (g *Graph) EveryOther(x Value, axis, start int) Value {
	if g.err != nil {
		return Value{}
	}
	if axis < 0 || axis >= len(x.Shape) || x.Shape[axis].Name != "" || start < 0 || int64(start) >= x.Shape[axis].Size {
		return g.fail("Slice", "no every other element of axis %d of %v from %d on", axis, x.Shape, start)
	}
	size := x.Shape[axis].Size
	shape := slices.Clone(x.Shape)
	shape[axis] = Dimension{Size: (size - int64(start) + 1) / 2}
	return g.one("", "Slice", []Value{x, g.Int64s(int64(start)), g.Int64s(size), g.Int64s(int64(axis)), g.Int64s(2)}, x.Type, shape)
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

// SliceToEnd takes the run from start to the end of an axis; length is the
// size of that axis afterwards.
func (g *Graph) SliceToEnd(x Value, axis int, start int64, length Dimension) Value {
	return g.Slice(x, axis, start, 1<<62, length)
}
