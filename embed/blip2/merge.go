package blip2

import (
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
)

// Token merging after Bolya et al., Token Merging: Your ViT But Faster (arXiv 2210.09461): after the attention of each layer,
// the tokens most like another one are averaged with it, so that later layers have fewer rows.
//
//	rows      0   1   2   3   4   5   6        0 is the class token, which is never merged
//	          |   B   A   B   A   B   A        every A looks for the B whose key is most like its own
//	          |   1   |   3 <-´   5   |        the closest pairs are merged, here 4 into 3
//	merged    0   2   6   1   34  5            class token, the other A in their order, all B
//
// A merged token stands for several patches: its size. Attention adds the logarithm of the sizes to the scores, so that a
// token counts as often as the patches that it stands for (equation 1 of the paper). At the end every patch gets the token
// that stands for it, so that all that reads image tokens, maps of places included, finds a token for each patch, and each
// merged one as often as it is large.

// visionStream is the tokens on their way through the encoder.
type visionStream struct {
	rows onnx.Value // [B n D]
	// sizes [B n 1] are how many patches each row stands for, and source int64 [B N] which row stands for each of all N
	// tokens; both missing until tokens are merged.
	sizes, source onnx.Value
}

// newVisionStream begins with the embeddings of all tokens.
func newVisionStream(rows onnx.Value) visionStream { return visionStream{rows: rows} }

// scoreBias is what is added to the scores of the attention between the rows: [B 1 n n]; missing while each row stands for one patch.
func (v *visionEncoder) scoreBias(stream visionStream) onnx.Value {
	if stream.sizes.Missing() {
		return onnx.Value{}
	}
	batch, count := stream.rows.Shape[0], stream.rows.Shape[1]
	row := v.Reshape(v.Log(stream.sizes), onnx.Shape{batch, onnx.Fixed(1), onnx.Fixed(1), count})
	return v.Expand(row, stream.rows, onnx.Shape{batch, onnx.Fixed(1), count, count})
}

// merge merges as many tokens as the configuration asks for by their keys [B n D] and the bias of keys [D].
func (v *visionEncoder) merge(stream visionStream, keys, bias onnx.Value) visionStream {
	batch, count := stream.rows.Shape[0], int(stream.rows.Shape[1].Size)
	merged := v.config.MergedOf(count)
	if merged == 0 {
		return stream
	}
	p := v.pair(v.metric(keys, bias), merged)
	if stream.sizes.Missing() {
		ones := v.Expand(v.Float(1), stream.rows, onnx.Shape{batch, onnx.Fixed(count), onnx.Fixed(1)})
		stream.sizes = ones
	}
	// The weighted mean of each B and those that are merged into it.
	others, weights := v.EveryOther(stream.rows, 1, 1), v.EveryOther(stream.sizes, 1, 1)
	added, addedWeights := v.PickRows(stream.rows, p.gone), v.PickRows(stream.sizes, p.gone)
	sums := v.Add(v.Multiply(others, weights), v.MatMul(p.into, v.Multiply(added, addedWeights)))
	sizes := v.Add(weights, v.MatMul(p.into, addedWeights))
	left := onnx.Fixed(count - merged)
	return visionStream{
		rows:   v.Concat(1, left, v.PickRows(stream.rows, p.kept), v.Divide(sums, sizes)),
		sizes:  v.Concat(1, left, v.PickRows(stream.sizes, p.kept), sizes),
		source: v.follow(stream.source, p, count),
	}
}

// metric is what tokens are compared by: the mean of the heads' keys [B n d] as unit rows.
func (v *visionEncoder) metric(keys, bias onnx.Value) onnx.Value {
	heads, size := v.config.Heads, v.config.HiddenSize/v.config.Heads
	mean := v.Mean(v.Reshape(keys, onnx.Shape{keys.Shape[0], keys.Shape[1], onnx.Fixed(heads), onnx.Fixed(size)}), 2)
	return v.UnitRows(v.Add(mean, v.Mean(v.Reshape(bias, onnx.FixedShape(heads, size)), 0)))
}

// pairing says which rows are merged into which.
type pairing struct {
	kept, gone onnx.Value // int64 [B k], [B r]: the rows of A, the class token first, that stay, and that are merged
	target     onnx.Value // int64 [B r]: which B each that is merged goes into
	into       onnx.Value // float32 [B b r]: the same, 1 where it is and 0 elsewhere
}

// pair chooses the rows to be merged by what they are compared by [B n d].
func (v *visionEncoder) pair(metric onnx.Value, merged int) pairing {
	batch, count := metric.Shape[0], int(metric.Shape[1].Size)
	many, second := (count-1)/2, count/2
	first := v.SliceToEnd(v.EveryOther(metric, 1, 0), 1, 1, onnx.Fixed(many)) // A without the class token
	scores := v.MatMul(first, v.Transpose(v.EveryOther(metric, 1, 1), 0, 2, 1))
	best := v.Reshape(v.Largest(scores, 2), onnx.Shape{batch, onnx.Fixed(many)})
	// One order for all, so that a row is either merged or kept whatever is equal.
	_, order := v.Sort(best, true)
	gone, kept := order, v.numbers(metric, 0, 1, 1)
	if merged < many {
		parts := v.Split(order, 1, merged, many-merged)
		gone = parts[0]
		ascending, _ := v.Sort(parts[1], false)
		kept = v.Concat(1, onnx.Fixed(1+many-merged), kept, v.rowsOfFirst(ascending))
	}
	target := v.PickRows(v.LargestAt(scores, 2), gone)
	places := make([]int64, second)
	for i := range places {
		places[i] = int64(i)
	}
	column := v.Constant("int64/places."+onnx.Fixed(second).String(), onnx.Int64Tensor(places, 1, int64(second), 1))
	return pairing{kept: kept, gone: v.rowsOfFirst(gone), target: target, into: v.Cast(v.Equal(column, v.Unsqueeze(target, 1)), onnx.Float32)}
}

// rowsOfFirst are the rows of members of A, which are counted from the first after the class token.
func (v *visionEncoder) rowsOfFirst(members onnx.Value) onnx.Value {
	return v.Add(v.Multiply(members, v.Int64(2)), v.Int64(2))
}

// numbers is count integers from start on, a step apart, for each of a batch: int64 [B count].
func (v *visionEncoder) numbers(like onnx.Value, start, step, count int) onnx.Value {
	values := make([]int64, count)
	for i := range values {
		values[i] = int64(start + step*i)
	}
	row := v.Reshape(v.Int64s(values...), onnx.FixedShape(1, count))
	return v.Expand(row, like, onnx.Shape{like.Shape[0], onnx.Fixed(count)})
}

// follow is which row stands for each of all tokens after count rows were merged: int64 [B N].
func (v *visionEncoder) follow(source onnx.Value, p pairing, count int) onnx.Value {
	kept, second := int(p.kept.Shape[1].Size), count/2
	before := v.Concat(1, onnx.Fixed(count), p.kept, v.numbers(p.kept, 1, 2, second), p.gone)
	after := v.Concat(1, onnx.Fixed(count), v.numbers(p.kept, 0, 1, kept+second), v.Add(p.target, v.Int64(int64(kept))))
	moved := v.PlaceEach(before, before, after) // every place is replaced
	if source.Missing() {
		return moved
	}
	return v.PickRows(moved, source)
}

// unmerge gives every token the row that stands for it: [B N D].
func (v *visionEncoder) unmerge(rows, source onnx.Value) onnx.Value {
	if source.Missing() {
		return rows
	}
	return v.PickRows(rows, source)
}

// mergingSource is a checkpoint whose model merges tokens.
type mergingSource struct{ Source }

// Config is the sizes of the model.
func (m mergingSource) Config() modelconfig.Config {
	config := m.Source.Config()
	config.Vision.Merged = mergedTokens(config.Vision)
	return config
}
