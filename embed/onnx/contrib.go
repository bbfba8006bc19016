package onnx

import "slices"

// This file holds the operators of ONNX Runtime's com.microsoft domain.

// Attention describes a multi-head attention node.
type Attention struct {
	Query, Key, Value Value // [B S E], [B T E], [B T E]
	Bias              Value // optional [3E]: added to query, key and value
	ScoreBias         Value // optional [B or 1, 1 or H, S, T], added to the scores
	PastKey           Value // optional [B H P E/H]: earlier keys, before Key
	PastValue         Value // optional [B H P E/H], beside PastKey
	Heads             int
	Total             Dimension // P+T, the length of the present keys; for a past only
	Scale             float32   // of the scores; 0 means 1/√d
}

// MultiHeadAttention is softmax(scale·Q·Kᵀ + score bias)·V for each head, heads
// side by side: [B S E]. With a past it also returns the present keys and
// values [B H P+T d].
func (g *Graph) MultiHeadAttention(a Attention) (output, presentKey, presentValue Value) {
	if g.err != nil {
		return
	}
	const operator = "MultiHeadAttention"
	query, key := a.Query.Shape, a.Key.Shape
	if len(query) != 3 || len(key) != 3 || !key.equal(a.Value.Shape) || query[2] != key[2] || query[2].Name != "" {
		g.fail(operator, "query %v, key %v and value %v do not fit", query, key, a.Value.Shape)
		return
	}
	width := query[2].Size
	if a.Heads <= 0 || width%int64(a.Heads) != 0 {
		g.fail(operator, "width %d does not divide into %d heads", width, a.Heads)
		return
	}
	if !a.Bias.Missing() && !a.Bias.Shape.equal(FixedShape(int(3*width))) {
		g.fail(operator, "bias %v is not [%d]", a.Bias.Shape, 3*width)
		return
	}
	results := []result{{elementType: a.Query.Type, shape: query}}
	if !a.PastKey.Missing() {
		head := Fixed(int(width) / a.Heads)
		present := Shape{query[0], Fixed(a.Heads), a.Total, head}
		results = append(results, result{elementType: a.Query.Type, shape: present},
			result{elementType: a.Query.Type, shape: present})
	}
	attributes := []attribute{integer("num_heads", int64(a.Heads))}
	if a.Scale != 0 {
		attributes = append(attributes, float("scale", a.Scale))
	}
	values := g.add(contribDomain, operator,
		[]Value{a.Query, a.Key, a.Value, a.Bias, {}, a.ScoreBias, a.PastKey, a.PastValue}, results, attributes...)
	if len(values) == 3 {
		return values[0], values[1], values[2]
	}
	return values[0], Value{}, Value{}
}

// BiasGelu is the exact (erf) Gaussian error linear unit of x + bias, with
// bias [size of the last axis of x].
func (g *Graph) BiasGelu(x, bias Value) Value {
	if g.err == nil && !bias.Shape.equal(x.Shape[len(x.Shape)-1:]) {
		return g.fail("BiasGelu", "bias %v does not fit %v", bias.Shape, x.Shape)
	}
	return g.one(contribDomain, "BiasGelu", []Value{x, bias}, x.Type, x.Shape)
}

// QuickGelu is x·sigmoid(alpha·x), element by element.
func (g *Graph) QuickGelu(x Value, alpha float32) Value {
	return g.one(contribDomain, "QuickGelu", []Value{x}, x.Type, x.Shape, float("alpha", alpha))
}

// FastGelu is the Gaussian error linear unit by its approximation with tanh, element by element.
func (g *Graph) FastGelu(x Value) Value {
	return g.one(contribDomain, "FastGelu", []Value{x}, x.Type, x.Shape)
}

// RootMeanSquareNorm divides each row of the last axis of x by its root mean square, epsilon added to the mean, and scales
// by gamma [size of that axis].
func (g *Graph) RootMeanSquareNorm(x, gamma Value, epsilon float64) Value {
	const operator = "SimplifiedLayerNormalization" // ONNX Runtime's, in the ai.onnx domain
	if g.err == nil && !gamma.Shape.equal(x.Shape[len(x.Shape)-1:]) {
		return g.fail(operator, "scale %v does not fit %v", gamma.Shape, x.Shape)
	}
	return g.one("", operator, []Value{x, gamma}, x.Type, x.Shape,
		integer("axis", -1), float("epsilon", float32(epsilon)), integer("stash_type", 1))
}

// MatMulTransposed multiplies a [... M K] by the transpose of b [N K] into
// [... M N].
func (g *Graph) MatMulTransposed(a, b Value) Value {
	if g.err != nil {
		return Value{}
	}
	if len(b.Shape) != 2 || len(a.Shape) < 2 || a.Shape[len(a.Shape)-1] != b.Shape[1] {
		return g.fail("FusedMatMul", "inner sizes of %v and %v differ", a.Shape, b.Shape)
	}
	shape := slices.Clone(a.Shape)
	shape[len(shape)-1] = b.Shape[0]
	return g.one(contribDomain, "FusedMatMul", []Value{a, b}, a.Type, shape, integer("transB", 1))
}

// DynamicQuantizeMatMul multiplies float a [... M K], quantised on the fly to
// 8 bits with one scale for the whole tensor, by the 8-bit weight [K N] with
// one scale for each column [N], and adds an optional bias [N].
func (g *Graph) DynamicQuantizeMatMul(a, weight, scale, bias Value) Value {
	shape, ok := g.quantizedShape("DynamicQuantizeMatMul", a, weight, scale)
	if !ok {
		return Value{}
	}
	return g.one(contribDomain, "DynamicQuantizeMatMul", []Value{a, weight, scale, {}, bias}, Float32, shape)
}

// MatMulIntegerToFloat multiplies the unsigned 8-bit a [... M K] of one scale
// and zero point (scalars) by the signed weight [K N] with one scale for each
// column [N], and adds an optional bias [N].
func (g *Graph) MatMulIntegerToFloat(a, weight, aScale, scale, aZero, bias Value) Value {
	shape, ok := g.quantizedShape("MatMulIntegerToFloat", a, weight, scale)
	if !ok {
		return Value{}
	}
	return g.one(contribDomain, "MatMulIntegerToFloat",
		[]Value{a, weight, aScale, scale, aZero, {}, bias}, Float32, shape)
}

func (g *Graph) quantizedShape(operator string, a, weight, scale Value) (Shape, bool) {
	if g.err != nil {
		return nil, false
	}
	shape, err := matMulShape(a.Shape, weight.Shape)
	if err != nil {
		g.fail(operator, "%w", err)
		return nil, false
	}
	if weight.Type != Int8 || !scale.Shape.equal(weight.Shape[len(weight.Shape)-1:]) {
		g.fail(operator, "weight %v%v and scale %v do not fit", weight.Type, weight.Shape, scale.Shape)
		return nil, false
	}
	return shape, true
}

// QuantizeLinear turns float x into unsigned 8-bit x/scale + zero, rounded to
// even and clipped; scale and zero are scalars.
func (g *Graph) QuantizeLinear(x, scale, zero Value) Value {
	return g.one("", "QuantizeLinear", []Value{x, scale, zero}, Uint8, x.Shape)
}

// MatMulNBits multiplies float a [... M K] by a weight of N columns and 4 or 8
// bits, stored block by block: packed [N K/block block·bits/8], the lower half of
// a byte first, with zero point 8 or 128 and one scale for each block,
// [N K/block]. Activations are quantised to 8 bits for each row and block.
func (g *Graph) MatMulNBits(a, packed, scales, bias Value, bits, block int) Value {
	if g.err != nil {
		return Value{}
	}
	const operator = "MatMulNBits"
	inner := a.Shape[len(a.Shape)-1]
	blocks := Fixed((int(inner.Size) + block - 1) / block)
	if len(packed.Shape) != 3 || inner.Name != "" || packed.Type != Uint8 || packed.Shape[1] != blocks || packed.Shape[2] != Fixed(block*bits/8) {
		return g.fail(operator, "weight %v of %d bits in blocks of %d does not fit %v", packed.Shape, bits, block, a.Shape)
	}
	if !scales.Shape.equal(packed.Shape[:2]) || !bias.Missing() && !bias.Shape.equal(packed.Shape[:1]) {
		return g.fail(operator, "scales %v and bias %v do not fit %v", scales.Shape, bias.Shape, packed.Shape)
	}
	shape := slices.Clone(a.Shape)
	shape[len(shape)-1] = packed.Shape[0]
	return g.one(contribDomain, operator, []Value{a, packed, scales, {}, {}, bias}, Float32, shape,
		integer("K", inner.Size), integer("N", packed.Shape[0].Size), integer("bits", int64(bits)),
		integer("block_size", int64(block)), integer("accuracy_level", 4))
}
