package onnx

import "slices"

// GroupAttention describes a causal attention node whose query heads share the keys and values of fewer heads, and whose
// earlier keys and values lie in a buffer that it appends to.
type GroupAttention struct {
	// Query is [B T H·d], Key and Value are [B T G·d]; or Query is [B T (H+2G)·d], all three side by side, and the others
	// are missing.
	Query, Key, Value Value
	// PastKey and PastValue are optional, [B G C d]: room for C keys, of which the earlier ones are filled.
	PastKey, PastValue Value
	// PresentKey and PresentValue become outputs of the graph under these names, of the shape of the past: the past with
	// what this node appends. They may be bound to the memory of the past. Without names they are none.
	PresentKey, PresentValue string
	// Last is int32 [B], the place of each row's last key; Total is int32 [1], the keys of the longest row, this node's
	// counted.
	Last, Total Value
	// Cosines and Sines are optional, [P d/2]: the rotary embedding of each place, by halves.
	Cosines, Sines Value
	// ScoreBias is optional, [1 H T S]: added to the scores of all S keys.
	ScoreBias            Value
	Heads, KeyValueHeads int
	HeadWidth            int     // d
	Scale                float32 // of the scores; 0 means 1/√d
}

// GroupQueryAttention is softmax(scale·Q·Kᵀ + score bias)·V of each head over the keys up to the query's place, heads side
// by side: [B T H·d].
func (g *Graph) GroupQueryAttention(a GroupAttention) Value {
	if g.err != nil {
		return Value{}
	}
	const operator = "GroupQueryAttention"
	if problem := a.problem(); problem != "" {
		return g.fail(operator, "%s", problem)
	}
	query := a.Query.Shape
	output := Shape{query[0], query[1], Fixed(a.Heads * a.HeadWidth)}
	present := Shape{query[0], Fixed(a.KeyValueHeads), Dynamic("total"), Fixed(a.HeadWidth)}
	if !a.PastKey.Missing() {
		present = a.PastKey.Shape
	}
	rotary := integer("do_rotary", 0)
	if !a.Cosines.Missing() {
		rotary = integer("do_rotary", 1)
	}
	kind := a.Query.Type
	values := g.add(contribDomain, operator,
		[]Value{a.Query, a.Key, a.Value, a.PastKey, a.PastValue, a.Last, a.Total, a.Cosines, a.Sines, {}, a.ScoreBias},
		[]result{{kind, output}, {kind, present}, {kind, present}},
		integer("num_heads", int64(a.Heads)), integer("kv_num_heads", int64(a.KeyValueHeads)), float("scale", a.Scale), rotary)
	if a.PresentKey != "" {
		g.nameOutput(1, a.PresentKey, values[1])
		g.nameOutput(2, a.PresentValue, values[2])
	}
	return values[0]
}

// problem says what does not fit; nothing when all does.
func (a GroupAttention) problem() string {
	if a.Heads <= 0 || a.KeyValueHeads <= 0 || a.HeadWidth <= 0 || a.Heads%a.KeyValueHeads != 0 {
		return "the key and value heads do not divide the heads, or one of the sizes is not positive"
	}
	width, shared := Fixed(a.Heads*a.HeadWidth), Fixed(a.KeyValueHeads*a.HeadWidth)
	packed := a.Key.Missing() && a.Value.Missing()
	if packed {
		width = Fixed((a.Heads + 2*a.KeyValueHeads) * a.HeadWidth)
	}
	query := a.Query.Shape
	if len(query) != 3 || query[2] != width {
		return "query " + query.String() + " has not the width of its heads"
	}
	rows := Shape{query[0], query[1], shared}
	if !packed && (!a.Key.Shape.equal(rows) || !a.Value.Shape.equal(rows)) {
		return "key " + a.Key.Shape.String() + " and value " + a.Value.Shape.String() + " are not " + rows.String()
	}
	past := a.PastKey.Shape
	if !a.PastKey.Missing() && (len(past) != 4 || past[0] != query[0] || past[1] != Fixed(a.KeyValueHeads) ||
		past[3] != Fixed(a.HeadWidth) || !past.equal(a.PastValue.Shape)) {
		return "past key " + past.String() + " and value " + a.PastValue.Shape.String() + " do not fit " + query.String()
	}
	if a.Last.Type != Int32 || !a.Last.Shape.equal(query[:1]) || a.Total.Type != Int32 || !a.Total.Shape.equal(FixedShape(1)) {
		return "the last places " + a.Last.Shape.String() + " or the total " + a.Total.Shape.String() + " do not fit"
	}
	if cosines := a.Cosines.Shape; !a.Cosines.Missing() && (len(cosines) != 2 || a.HeadWidth%2 != 0 ||
		cosines[1] != Fixed(a.HeadWidth/2) || !cosines.equal(a.Sines.Shape)) {
		return "cosines " + cosines.String() + " and sines " + a.Sines.Shape.String() + " do not fit the heads' width"
	}
	if bias := a.ScoreBias.Shape; !a.ScoreBias.Missing() && (len(bias) != 4 || bias[1] != Fixed(a.Heads) || bias[2] != query[1]) {
		return "score bias " + bias.String() + " does not fit " + query.String()
	}
	return ""
}

// nameOutput makes output i of the node added last an output of the graph without a copy: the node itself writes it.
func (g *Graph) nameOutput(i int, name string, value Value) {
	if g.err != nil {
		return
	}
	if claimed := g.claim(name); claimed != name {
		g.fail("output", "output name %q is taken", name)
		return
	}
	g.nodes[len(g.nodes)-1].outputs[i] = name
	value.Name = name
	g.outputs = append(g.outputs, value)
}

// CrossAttention is softmax(scale·Q·Kᵀ)·V for each head over given keys and values: query [B T H·d], keys and values
// [B H S d], result [B T H·d].
func (g *Graph) CrossAttention(query, key, value Value, heads int, scale float32) Value {
	if g.err != nil {
		return Value{}
	}
	const operator = "MultiHeadAttention"
	if len(query.Shape) != 3 || len(key.Shape) != 4 || !key.Shape.equal(value.Shape) || key.Shape[0] != query.Shape[0] ||
		key.Shape[1] != Fixed(heads) || query.Shape[2] != Fixed(heads*int(key.Shape[3].Size)) {
		return g.fail(operator, "query %v, key %v and value %v do not fit", query.Shape, key.Shape, value.Shape)
	}
	return g.one(contribDomain, operator, []Value{query, key, value}, query.Type, slices.Clone(query.Shape),
		integer("num_heads", int64(heads)), float("scale", scale))
}
