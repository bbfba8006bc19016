package blip2

import (
	"fmt"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/quantize"
)

// Names of the language-model head's tensors.
const (
	headPrefix  = "cls.predictions."
	headDecoder = headPrefix + "decoder.weight"
	headBias    = headPrefix + "bias"
)

// hasCaptionHead reports whether weights hold a language-model head.
func hasCaptionHead(weights quantize.Weights) bool {
	return weights.Has(headPrefix+"transform.dense.weight") && weights.Has(headBias)
}

// memoryShape is that of the keys and values of one layer by head, as the caption graphs pass them on.
func (q *queryFormer) memoryShape(rows onnx.Dimension) onnx.Shape {
	heads := q.config.QFormer.Heads
	return onnx.Shape{onnx.Dynamic(batchSize), onnx.Fixed(heads), rows, onnx.Fixed(q.width() / heads)}
}

// captionStartGraph is the graph from image tokens to the keys and values of
// the queries, layer by layer, which a caption's tokens attend to.
func captionStartGraph(config modelconfig.Config, weights *quantize.Store) *onnx.Graph {
	q := newQueryFormer("caption_start", config, weights)
	tokens := q.imageTokens()
	heads, count := config.QFormer.Heads, config.QueryTokens
	byHead := onnx.Shape{onnx.Dynamic(batchSize), onnx.Fixed(count), onnx.Fixed(heads), onnx.Fixed(q.width() / heads)}
	whole := onnx.Shape{onnx.Dynamic(batchSize), onnx.Fixed(count), onnx.Fixed(q.width())}
	emit := func(name string, x onnx.Value) {
		x = q.Reshape(q.Expand(x, tokens, whole), byHead)
		q.Output(name, q.Transpose(x, 0, 2, 1, 3))
	}
	for layer, x := range q.imageLayers(tokens) {
		parts := q.split(q.Apply(x, q.selfProjections(layer)), 3)
		emit(fmt.Sprint(manifest.PastKeyPrefix, layer), parts[1])
		emit(fmt.Sprint(manifest.PastValuePrefix, layer), parts[2])
		if layer == config.QFormer.Layers-1 {
			break
		}
	}
	return q.Graph
}

// captionStepGraph is the graph from the next token ids, with the keys and
// values of everything before, to next-token logits.
func captionStepGraph(config modelconfig.Config, weights *quantize.Store) *onnx.Graph {
	q := newQueryFormer("caption_step", config, weights)
	ids := q.Input(manifest.TokenIDsName, onnx.Int64, onnx.Dynamic(batchSize), onnx.Dynamic(textSize))
	position := q.Input(manifest.PositionName, onnx.Int64, onnx.Dynamic(textSize))
	layers := config.QFormer.Layers
	keys, values := make([]onnx.Value, layers), make([]onnx.Value, layers)
	for i := range layers {
		shape := q.memoryShape(onnx.Dynamic(pastSize))
		keys[i] = q.Input(fmt.Sprint(manifest.PastKeyPrefix, i), onnx.Float32, shape...)
		values[i] = q.Input(fmt.Sprint(manifest.PastValuePrefix, i), onnx.Float32, shape...)
	}
	x := q.embedNorm(q.Add(q.words(ids), q.Gather(q.positionTable(), position)))
	bias := q.causalMask(ids, position, keys[0])
	for i := range layers {
		q.Scope(fmt.Sprintf("layer.%d", i), func() {
			var key, value onnx.Value
			x, key, value = q.selfAttentionPast(i, x, bias, keys[i], values[i])
			x = q.feedForward(i, x, "")
			q.Output(fmt.Sprint(manifest.PresentKeyPrefix, i), key)
			q.Output(fmt.Sprint(manifest.PresentValuePrefix, i), value)
		})
	}
	q.Output(manifest.LogitsName, q.languageHead(x))
	return q.Graph
}

// selfAttentionPast is selfAttention that also attends to earlier keys and
// values, and returns them with this step's appended.
func (q *queryFormer) selfAttentionPast(layer int, x, bias, pastKey, pastValue onnx.Value) (after, key, value onnx.Value) {
	projections := q.selfProjections(layer)
	name := q.prefix(layer) + "attention"
	parts := q.split(q.Product(x, projections), 3)
	context, key, value := q.MultiHeadAttention(onnx.Attention{Query: parts[0], Key: parts[1], Value: parts[2],
		Bias: q.Bias(projections), ScoreBias: bias, PastKey: pastKey, PastValue: pastValue,
		Heads: q.config.QFormer.Heads, Total: onnx.Dynamic(totalSize)})
	dense := q.one(name + ".output.dense")
	return q.addNorm(context, x, dense, q.Bias(dense), name+".output.LayerNorm"), key, value
}

// causalMask lets each text token see the queries and the text up to itself:
// [1 1 T P+T] to add to the scores.
func (q *queryFormer) causalMask(ids, position, past onnx.Value) onnx.Value {
	total := q.Squeeze(q.Add(q.Size(past, 2), q.Size(ids, 1)))
	columns := q.Range(total, onnx.Dynamic(totalSize))
	columns = q.Subtract(columns, q.Int64(int64(q.config.QueryTokens)))
	later := q.Greater(q.Unsqueeze(columns, 0), q.Unsqueeze(position, 1))
	return q.Unsqueeze(q.Where(later, q.Float(masked), q.Float(0)), 0, 1)
}

// languageHead is the logits [B T V] of the next token for states [B T H].
func (q *queryFormer) languageHead(x onnx.Value) onnx.Value {
	dense := q.one(headPrefix + "transform.dense")
	x = q.Gelu(q.Apply(x, dense))
	x = q.Normalize(x, headPrefix+"transform.LayerNorm", q.width(), q.config.QFormer.LayerNormEpsilon)
	return q.Add(q.decode(x), q.Vector(headBias, q.config.QFormer.VocabularySize))
}

// decode multiplies by the decoder, which is the word embedding unless the
// checkpoint has one of its own.
func (q *queryFormer) decode(x onnx.Value) onnx.Value {
	size := q.config.QFormer.VocabularySize
	name := "embeddings.word_embeddings"
	table := q.wordTable
	if q.Has(headDecoder) {
		name = headPrefix + "decoder"
		table = func() onnx.Value { return q.Tensor(headDecoder, []int{size, q.width()}, size, q.width()) }
	}
	return q.TableProduct(x, quantize.Product{Layers: []string{name}, Input: q.width(), Output: size}, table)
}
