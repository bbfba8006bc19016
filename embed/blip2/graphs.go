package blip2

import (
	"fmt"
	"slices"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/quantize"
)

// The heads that make results of the Q-Former's states.
const (
	visionHead = "vision_projection"
	textHead   = "text_projection"
	matchHead  = "itm_head"
)

func newQueryFormer(name string, config modelconfig.Config, weights *quantize.Store) *queryFormer {
	return &queryFormer{quantize.NewNetwork(name, weights), config}
}

// imageTokens declares the image tokens [B N D] as input.
func (q *queryFormer) imageTokens() onnx.Value {
	return q.Input(manifest.ImageTokensName, onnx.Float32, onnx.Dynamic(batchSize),
		onnx.Fixed(q.config.Vision.Tokens()), onnx.Fixed(q.config.Vision.HiddenSize))
}

// textInputs declares token ids and attention mask [B T] as inputs.
func (q *queryFormer) textInputs() (ids, mask onnx.Value) {
	shape := onnx.Shape{onnx.Dynamic(batchSize), onnx.Dynamic(textSize)}
	return q.Input(manifest.TokenIDsName, onnx.Int64, shape...), q.Input(manifest.AttentionMaskName, onnx.Int64, shape...)
}

// projection is a fully connected layer from the Q-Former into the shared
// space.
func (q *queryFormer) projection(name string) quantize.Product {
	return quantize.Product{Layers: []string{name}, Input: q.width(), Output: q.config.ProjectionSize}
}

// imagePartsGraph is the graph from image tokens to unit vectors.
func imagePartsGraph(config modelconfig.Config, weights *quantize.Store) *onnx.Graph {
	q := newQueryFormer("image_parts", config, weights)
	states := q.imageStates(q.imageTokens())
	q.Output(manifest.PartsName, q.UnitRows(q.Apply(states, q.projection(visionHead))))
	return q.Graph
}

// textGraph is the graph from token ids to a unit vector.
func textGraph(config modelconfig.Config, weights *quantize.Store) *onnx.Graph {
	q := newQueryFormer("text", config, weights)
	ids, mask := q.textInputs()
	x := q.text(ids)
	last := config.QFormer.Layers - 1
	all := q.keyMask(mask, onnx.Dynamic(textSize), q.Size(ids, 1))
	for i := range last {
		q.Scope(fmt.Sprintf("layer.%d", i), func() {
			x = q.feedForward(i, q.selfAttention(i, x, all), "")
		})
	}
	q.Scope(fmt.Sprintf("layer.%d", last), func() {
		one := q.keyMask(mask, onnx.Fixed(1), onnx.Value{})
		x = q.feedForward(last, q.selfAttentionFirst(last, x, one), "")
	})
	vector := q.UnitRows(q.Apply(x, q.projection(textHead)))
	q.Output(manifest.TextVectorName, q.Reshape(vector, onnx.Shape{onnx.Dynamic(batchSize), onnx.Fixed(config.ProjectionSize)}))
	return q.Graph
}

// matchGraph is the graph from image tokens and token ids to matching logits.
func matchGraph(config modelconfig.Config, weights *quantize.Store) *onnx.Graph {
	q := newQueryFormer("match", config, weights)
	tokens := q.imageTokens()
	ids, mask := q.textInputs()
	hidden := q.matchLayers(ids, mask, func(layer int, x onnx.Value) onnx.Value {
		return q.crossAttention(layer, x, q.crossMemory(layer, tokens))
	})
	q.Output(manifest.LogitsName, q.scoreMatch(hidden))
	return q.Graph
}

// matchImageGraph is the part of matching that depends on the image alone:
// from image tokens to the keys and values that the queries read, for each
// layer that looks at the image.
func matchImageGraph(config modelconfig.Config, weights *quantize.Store) *onnx.Graph {
	q := newQueryFormer("match_image", config, weights)
	tokens := q.imageTokens()
	for i := range config.QFormer.Layers {
		if config.QFormer.CrossAttends(i) {
			q.Scope(fmt.Sprintf("layer.%d", i), func() {
				memory := q.crossMemory(i, tokens)
				q.Output(fmt.Sprint(manifest.MemoryPrefix, i), q.Concat(2, onnx.Fixed(2*q.width()), memory...))
			})
		}
	}
	return q.Graph
}

// matchTextGraph is the rest of matching: from one image's keys and values
// and any number of texts to matching logits. All texts' queries read the
// image together, as one long sequence.
func matchTextGraph(config modelconfig.Config, weights *quantize.Store) *onnx.Graph {
	q := newQueryFormer("match_text", config, weights)
	ids, mask := q.textInputs()
	memory := make([][]onnx.Value, config.QFormer.Layers)
	for i := range memory {
		if config.QFormer.CrossAttends(i) {
			memory[i] = q.split(q.Input(fmt.Sprint(manifest.MemoryPrefix, i), onnx.Float32,
				onnx.Fixed(1), onnx.Fixed(config.Vision.Tokens()), onnx.Fixed(2*q.width())), 2)
		}
	}
	together := onnx.Shape{onnx.Fixed(1), onnx.Dynamic("queries"), onnx.Fixed(q.width())}
	hidden := q.matchLayers(ids, mask, func(layer int, x onnx.Value) onnx.Value {
		return q.Reshape(q.crossAttention(layer, q.Reshape(x, together), memory[layer]), x.Shape)
	})
	q.Output(manifest.LogitsName, q.scoreMatch(hidden))
	return q.Graph
}

// scoreMatch averages the matching logits of the queries' states [B Q H].
func (q *queryFormer) scoreMatch(hidden onnx.Value) onnx.Value {
	head := quantize.Product{Layers: []string{matchHead}, Input: q.width(), Output: 2}
	return q.Mean(q.Apply(hidden, head), 1)
}

// matchLayers runs queries and text, each seeing the other, through all
// layers and returns the queries' states [B Q H]; look applies a layer's
// cross-attention to the queries.
func (q *queryFormer) matchLayers(ids, mask onnx.Value, look func(layer int, x onnx.Value) onnx.Value) onnx.Value {
	count := q.config.QueryTokens
	batch, sequence := onnx.Dynamic(batchSize), onnx.Dynamic(sequenceSize)
	queries := q.Expand(q.queries(), ids, onnx.Shape{batch, onnx.Fixed(count), onnx.Fixed(q.width())})
	x := q.Concat(1, sequence, queries, q.text(ids))
	open := q.Constant("int64/ones", onnx.Int64Tensor(slices.Repeat([]int64{1}, count), 1, int64(count)))
	open = q.Expand(open, ids, onnx.Shape{batch, onnx.Fixed(count)})
	bias := q.keyMask(q.Concat(1, sequence, open, mask), sequence, q.Size(x, 1))
	last := q.config.QFormer.Layers - 1
	for i := range q.config.QFormer.Layers {
		q.Scope(fmt.Sprintf("layer.%d", i), func() {
			x = q.selfAttention(i, x, bias)
			seeing := q.first(x, count)
			if q.config.QFormer.CrossAttends(i) {
				seeing = look(i, seeing)
			}
			seeing = q.feedForward(i, seeing, querySuffix)
			if i == last { // the text's states are not read any more
				x = seeing
				return
			}
			text := q.SliceToEnd(x, 1, int64(count), onnx.Dynamic(textSize))
			x = q.Concat(1, sequence, seeing, q.feedForward(i, text, ""))
		})
	}
	return x
}
