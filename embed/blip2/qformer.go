package blip2

import (
	"fmt"
	"iter"

	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/quantize"
)

// queryFormer builds parts of the Q-Former.
type queryFormer struct {
	*quantize.Network
	config modelconfig.Config
}

// Names of the Q-Former's dynamic sizes.
const (
	batchSize    = "batch"    // images or texts
	textSize     = "text"     // text tokens
	sequenceSize = "sequence" // queries and text tokens
	pastSize     = "past"     // keys from earlier steps
	totalSize    = "total"    // keys from earlier steps and this one
)

// masked is what is added to a score that must not count; exp of it is zero
// beside any score.
const masked = -10000

func (q *queryFormer) width() int { return q.config.QFormer.HiddenSize }

func (q *queryFormer) prefix(layer int) string {
	return fmt.Sprintf("qformer.encoder.layer.%d.", layer)
}

// one is a single fully connected layer of the Q-Former's width.
func (q *queryFormer) one(name string) quantize.Product {
	return quantize.Product{Layers: []string{name}, Input: q.width(), Output: q.width()}
}

// selfProjections is query, key and value of a layer's self-attention.
func (q *queryFormer) selfProjections(layer int) quantize.Product {
	prefix := q.prefix(layer) + "attention.attention."
	return quantize.Product{Layers: []string{prefix + "query", prefix + "key", prefix + "value"}, Input: q.width(), Output: q.width()}
}

// crossProjection is the key or the value of a layer's cross-attention, which
// read image tokens. They are two products: cutting one result in two would copy it.
func (q *queryFormer) crossProjection(layer int, name string) quantize.Product {
	name = q.prefix(layer) + "crossattention.attention." + name
	return quantize.Product{Layers: []string{name}, Input: q.config.Vision.HiddenSize, Output: q.width()}
}

// queries is the learned queries [1 Q H], normalised as the Q-Former's input.
func (q *queryFormer) queries() onnx.Value {
	shape := []int{1, q.config.QueryTokens, q.width()}
	return q.embedNorm(q.Tensor("query_tokens", shape, shape...))
}

// embedNorm is the layer norm that queries and text embeddings share.
func (q *queryFormer) embedNorm(x onnx.Value) onnx.Value {
	return q.Normalize(x, "qformer.layernorm", q.width(), q.config.QFormer.LayerNormEpsilon)
}

// words is the rows of the word embedding that ids [B T] name: [B T H].
func (q *queryFormer) words(ids onnx.Value) onnx.Value {
	return q.Gather(q.wordTable(), ids)
}

func (q *queryFormer) wordTable() onnx.Value {
	shape := []int{q.config.QFormer.VocabularySize, q.width()}
	return q.Tensor("embeddings.word_embeddings.weight", shape, shape...)
}

func (q *queryFormer) positionTable() onnx.Value {
	shape := []int{q.config.QFormer.MaxPositions, q.width()}
	return q.Tensor("embeddings.position_embeddings.weight", shape, shape...)
}

// text is the normalised embeddings [B T H] of a text from its beginning.
func (q *queryFormer) text(ids onnx.Value) onnx.Value {
	positions := q.SliceTo(q.positionTable(), 0, 0, q.Size(ids, 1), onnx.Dynamic(textSize))
	return q.embedNorm(q.Add(q.words(ids), positions))
}

// addNorm is the layer norm of dense(x) + bias + skip, the end of every sublayer.
func (q *queryFormer) addNorm(x, skip onnx.Value, dense quantize.Product, bias onnx.Value, norm string) onnx.Value {
	return q.Normalize(q.Add(q.ApplyBias(x, dense, bias), skip), norm, q.width(), q.config.QFormer.LayerNormEpsilon)
}

// attend finishes an attention sublayer: output projection, residual, norm.
func (q *queryFormer) attend(attention onnx.Attention, skip onnx.Value, name string) onnx.Value {
	attention.Heads = q.config.QFormer.Heads
	context := q.Attend(attention)
	dense := q.one(name + ".output.dense")
	return q.addNorm(context, skip, dense, q.Bias(dense), name+".output.LayerNorm")
}

// split is x [B S n·H] cut into n values [B S H].
func (q *queryFormer) split(x onnx.Value, n int) []onnx.Value {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = q.width()
	}
	return q.Split(x, 2, sizes...)
}

// selfAttention is a layer's self-attention over x [B S H]; scoreBias is
// added to the scores unless it is missing.
func (q *queryFormer) selfAttention(layer int, x, scoreBias onnx.Value) onnx.Value {
	projections := q.selfProjections(layer)
	parts := q.split(q.Product(x, projections), 3)
	return q.attend(onnx.Attention{Query: parts[0], Key: parts[1], Value: parts[2],
		Bias: q.Bias(projections), ScoreBias: scoreBias}, x, q.prefix(layer)+"attention")
}

// selfAttentionFirst is selfAttention of which only the first row is wanted:
// [B 1 H].
func (q *queryFormer) selfAttentionFirst(layer int, x, scoreBias onnx.Value) onnx.Value {
	projections := q.selfProjections(layer)
	parts := q.split(q.Product(x, projections), 3)
	return q.attend(onnx.Attention{Query: q.first(parts[0], 1), Key: parts[1], Value: parts[2],
		Bias: q.Bias(projections), ScoreBias: scoreBias}, q.first(x, 1), q.prefix(layer)+"attention")
}

// first is the first count rows of x [B S H].
func (q *queryFormer) first(x onnx.Value, count int) onnx.Value {
	return q.Slice(x, 1, 0, int64(count), onnx.Fixed(count))
}

// crossMemory is a layer's keys and values of image tokens, each [B N H], without
// biases.
func (q *queryFormer) crossMemory(layer int, tokens onnx.Value) []onnx.Value {
	return []onnx.Value{q.Product(tokens, q.crossProjection(layer, "key")), q.Product(tokens, q.crossProjection(layer, "value"))}
}

// crossAttention lets the queries x [B Q H] read the image by the layer's
// memory.
//
// The many rows of the memory need no biases. That of the keys adds the same to
// all scores of a query, which the softmax takes off again. That of the values
// comes out of the attention as it went in, since a query's weights add up to
// one: it goes into the bias of the output.
func (q *queryFormer) crossAttention(layer int, x onnx.Value, memory []onnx.Value) onnx.Value {
	name := q.prefix(layer) + "crossattention"
	context := q.Attend(onnx.Attention{Query: q.Apply(x, q.one(name+".attention.query")),
		Key: memory[0], Value: memory[1], Heads: q.config.QFormer.Heads})
	dense := q.one(name + ".output.dense")
	bias := q.BiasAfter(q.crossProjection(layer, "value"), dense)
	return q.addNorm(context, x, dense, bias, name+".output.LayerNorm")
}

// feedForward is a layer's feed-forward block; suffix is "_query" for queries
// and empty for text.
func (q *queryFormer) feedForward(layer int, x onnx.Value, suffix string) onnx.Value {
	prefix, inner := q.prefix(layer), q.config.QFormer.IntermediateSize
	rise := quantize.Product{Layers: []string{prefix + "intermediate" + suffix + ".dense"}, Input: q.width(), Output: inner}
	fall := quantize.Product{Layers: []string{prefix + "output" + suffix + ".dense"}, Input: inner, Output: q.width(), Least: quantize.LeastGelu}
	return q.addNorm(q.BiasGelu(q.Product(x, rise), q.Bias(rise)), x, fall, q.Bias(fall), prefix+"output"+suffix+".LayerNorm")
}

const querySuffix = "_query"

// imageLayers yields the input of each layer of the image transformer, then
// the output [B Q H] of the last, numbered one higher. What comes before the
// first look at the image does not depend on it and stays of batch 1: the
// runtime computes it once, when the graph is opened.
func (q *queryFormer) imageLayers(tokens onnx.Value) iter.Seq2[int, onnx.Value] {
	return func(yield func(int, onnx.Value) bool) {
		x := q.queries()
		shape := onnx.Shape{onnx.Dynamic(batchSize), onnx.Fixed(q.config.QueryTokens), onnx.Fixed(q.width())}
		for i := range q.config.QFormer.Layers {
			if !yield(i, x) {
				return
			}
			q.Scope(fmt.Sprintf("layer.%d", i), func() {
				x = q.selfAttention(i, x, onnx.Value{})
				if q.config.QFormer.CrossAttends(i) {
					if i == 0 {
						x = q.Expand(x, tokens, shape)
					}
					x = q.crossAttention(i, x, q.crossMemory(i, tokens))
				}
				x = q.feedForward(i, x, querySuffix)
			})
		}
		yield(q.config.QFormer.Layers, x)
	}
}

// imageStates is the output [B Q H] of the image transformer.
func (q *queryFormer) imageStates(tokens onnx.Value) onnx.Value {
	var states onnx.Value
	for _, states = range q.imageLayers(tokens) {
	}
	return states
}

// keyMask is what a mask [B S] of ones and zeros adds to the scores of
// rows queries: [B 1 rows S].
func (q *queryFormer) keyMask(mask onnx.Value, rows onnx.Dimension, rowCount onnx.Value) onnx.Value {
	closed := q.Subtract(q.Float(1), q.Cast(mask, onnx.Float32))
	scores := q.Unsqueeze(q.Multiply(closed, q.Float(masked)), 1, 2)
	if rows == onnx.Fixed(1) {
		return scores
	}
	shape := onnx.Shape{mask.Shape[0], onnx.Fixed(1), rows, mask.Shape[1]}
	target := q.Concat(0, onnx.Fixed(4), q.Size(mask, 0), q.Int64s(1), rowCount, q.Size(mask, 1))
	return q.ExpandTo(scores, target, shape)
}
