package blip2

import (
	"fmt"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/quantize"
)

// visionEncoder builds parts of the vision encoder.
type visionEncoder struct {
	*quantize.Network
	config modelconfig.Vision
}

func newVisionEncoder(name string, config modelconfig.Vision, weights *quantize.Store) *visionEncoder {
	return &visionEncoder{quantize.NewNetwork(name, weights), config}
}

// visionPrefix begins the names of the encoder's tensors.
const visionPrefix = "vision_model."

// visionNorm begins the names of the layer norm after the encoder's last layer.
const visionNorm = visionPrefix + "post_layernorm"

// visionProducts are the four matrix products of a vision layer.
func visionProducts(config modelconfig.Vision, layer int) (qkv, projection, first, second quantize.Product) {
	prefix := fmt.Sprintf("vision_model.encoder.layers.%d.", layer)
	width, inner := config.HiddenSize, config.IntermediateSize
	least := quantize.LeastGelu
	if config.Activation == modelconfig.QuickGelu {
		least = quantize.LeastQuickGelu
	}
	return quantize.Product{Layers: []string{prefix + "self_attn.qkv"}, Input: width, Output: 3 * width},
		quantize.Product{Layers: []string{prefix + "self_attn.projection"}, Input: width, Output: width},
		quantize.Product{Layers: []string{prefix + "mlp.fc1"}, Input: width, Output: inner},
		quantize.Product{Layers: []string{prefix + "mlp.fc2"}, Input: inner, Output: width, Least: least}
}

// normalizeStream is the layer norm before layer i's attention, or the one
// after all layers when i is their number.
func (v *visionEncoder) normalizeStream(stream onnx.Value, i int) onnx.Value {
	if i == v.config.Layers {
		return v.Normalize(stream, visionNorm, v.config.HiddenSize, v.config.FinalLayerNormEpsilon)
	}
	name := fmt.Sprintf("vision_model.encoder.layers.%d.layer_norm1", i)
	return v.Normalize(stream, name, v.config.HiddenSize, v.config.LayerNormEpsilon)
}

// embeddings turns pixels [B 3 S S] into class and patch embeddings [B N D].
func (v *visionEncoder) embeddings(pixels onnx.Value) onnx.Value {
	width, patch := v.config.HiddenSize, v.config.PatchSize
	tokens := v.config.Tokens()
	const prefix = "vision_model.embeddings."
	var bias onnx.Value
	if v.config.PatchBias {
		bias = v.Vector(prefix+"patch_embedding.bias", width)
	}
	kernel := []int{width, 3, patch, patch}
	patches := v.Conv(pixels, v.Tensor(prefix+"patch_embedding.weight", kernel, kernel...), bias)
	batch := onnx.Dynamic(batchSize)
	rows := v.Reshape(patches, onnx.Shape{batch, onnx.Fixed(width), onnx.Fixed(tokens - 1)})
	rows = v.Transpose(rows, 0, 2, 1)
	class := v.Tensor(prefix+"class_embedding", []int{1, 1, width}, 1, 1, width)
	class = v.Expand(class, pixels, onnx.Shape{batch, onnx.Fixed(1), onnx.Fixed(width)})
	position := []int{1, tokens, width}
	embedded := v.Add(v.Concat(1, onnx.Fixed(tokens), class, rows),
		v.Tensor(prefix+"position_embedding", position, position...))
	if v.config.PreLayerNorm {
		embedded = v.Normalize(embedded, "vision_model.pre_layernorm", width, v.config.LayerNormEpsilon)
	}
	return embedded
}

// layer applies a layer to the residual stream. Sums and norms are
// nodes of their own: the runtime's SkipLayerNormalization takes eight times as
// long on a processor.
func (v *visionEncoder) layer(i int, stream visionStream) visionStream {
	width := v.config.HiddenSize
	qkv, projection, first, second := visionProducts(v.config, i)
	v.Scope(fmt.Sprintf("layer.%d", i), func() {
		product := v.Product(v.normalizeStream(stream.rows, i), qkv)
		parts := v.Split(product, 2, width, width, width)
		bias := v.Bias(qkv)
		context := v.Attend(onnx.Attention{Query: parts[0], Key: parts[1], Value: parts[2],
			Bias: bias, ScoreBias: v.scoreBias(stream), Heads: v.config.Heads})
		stream.rows = v.Add(v.Apply(context, projection), stream.rows)
		if v.config.Merged > 0 {
			// A slice of its own: fused attention reads the whole product, and no parts are made.
			keys := v.Slice(product, 2, int64(width), int64(2*width), onnx.Fixed(width))
			stream = v.merge(stream, keys, v.Slice(bias, 0, int64(width), int64(2*width), onnx.Fixed(width)))
		}
		name := fmt.Sprintf("vision_model.encoder.layers.%d.layer_norm2", i)
		inner := v.Normalize(stream.rows, name, width, v.config.LayerNormEpsilon)
		stream.rows = v.Add(v.Apply(v.activate(v.Product(inner, first), v.Bias(first)), second), stream.rows)
	})
	return stream
}

// activate adds the bias and applies the encoder's activation.
func (v *visionEncoder) activate(x, bias onnx.Value) onnx.Value {
	if v.config.Activation == modelconfig.QuickGelu {
		return v.QuickGelu(v.Add(x, bias), 1.702)
	}
	return v.BiasGelu(x, bias)
}

// encode is the whole encoder: pixels [B 3 S S] to image tokens [B N D].
func (v *visionEncoder) encode(pixels onnx.Value) onnx.Value {
	stream := newVisionStream(v.embeddings(pixels))
	for i := range v.config.Layers {
		stream = v.layer(i, stream)
	}
	return v.unmerge(v.normalizeStream(stream.rows, v.config.Layers), stream.source)
}

// visionGraph is the graph of the vision encoder.
func visionGraph(config modelconfig.Config, weights *quantize.Store) *onnx.Graph {
	encoder := newVisionEncoder("vision", config.Vision, weights)
	side := onnx.Fixed(config.Vision.ImageSize)
	pixels := encoder.Input(manifest.PixelsName, onnx.Float32, onnx.Dynamic(batchSize), onnx.Fixed(3), side, side)
	encoder.Output(manifest.ImageTokensName, encoder.encode(pixels))
	return encoder.Graph
}
