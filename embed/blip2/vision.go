package blip2

import (
	"fmt"

	"mekiki/embed/checkpoint"
	"mekiki/embed/onnx"
)

// visionEncoder builds parts of the vision encoder.
type visionEncoder struct {
	*network
	config checkpoint.Vision
}

// visionNorm is a layer norm's name and epsilon.
type visionNorm struct {
	name    string
	epsilon float64
}

// Names of the four matrix products of a vision layer.
func visionProducts(config checkpoint.Vision, layer int) (qkv, projection, first, second linear) {
	prefix := fmt.Sprintf("vision_model.encoder.layers.%d.", layer)
	width, inner := config.HiddenSize, config.IntermediateSize
	return linear{[]string{prefix + "self_attn.qkv"}, width, 3 * width},
		linear{[]string{prefix + "self_attn.projection"}, width, width},
		linear{[]string{prefix + "mlp.fc1"}, width, inner},
		linear{[]string{prefix + "mlp.fc2"}, inner, width}
}

// norm is the layer norm before layer i's attention, or the one after all
// layers when i is their number.
func (v *visionEncoder) norm(i int) visionNorm {
	if i == v.config.Layers {
		return visionNorm{"vision_model.post_layernorm", v.config.FinalLayerNormEpsilon}
	}
	return visionNorm{fmt.Sprintf("vision_model.encoder.layers.%d.layer_norm1", i), v.config.LayerNormEpsilon}
}

// embeddings turns pixels [B 3 S S] into class and patch embeddings [B N D].
func (v *visionEncoder) embeddings(pixels onnx.Value) onnx.Value {
	width, patch := v.config.HiddenSize, v.config.PatchSize
	tokens := v.config.Tokens()
	const prefix = "vision_model.embeddings."
	var bias onnx.Value
	if v.config.PatchBias {
		bias = v.vector(prefix+"patch_embedding.bias", width)
	}
	kernel := []int{width, 3, patch, patch}
	patches := v.Conv(pixels, v.store.tensor(v.Graph, prefix+"patch_embedding.weight", kernel, kernel...), bias)
	batch := onnx.Dynamic("batch")
	rows := v.Reshape(patches, onnx.Shape{batch, onnx.Fixed(width), onnx.Fixed(tokens - 1)})
	rows = v.Transpose(rows, 0, 2, 1)
	class := v.store.tensor(v.Graph, prefix+"class_embedding", []int{1, 1, width}, 1, 1, width)
	class = v.Expand(class, pixels, onnx.Shape{batch, onnx.Fixed(1), onnx.Fixed(width)})
	position := []int{1, tokens, width}
	embedded := v.Add(v.Concat(1, onnx.Fixed(tokens), class, rows),
		v.store.tensor(v.Graph, prefix+"position_embedding", position, position...))
	if v.config.PreLayerNorm {
		embedded = v.normalize(embedded, "vision_model.pre_layernorm", width, v.config.LayerNormEpsilon)
	}
	return embedded
}

// layer applies a layer to the residual stream [B N D], given also
// normalised. The stream after the layer is residual + feed + the bias of the
// second feed-forward product, left to the caller to fuse.
func (v *visionEncoder) layer(i int, normalised, residual onnx.Value) (feed, after onnx.Value) {
	width := v.config.HiddenSize
	qkv, projection, first, second := visionProducts(v.config, i)
	v.Scope(fmt.Sprintf("layer.%d", i), func() {
		parts := v.Split(v.product(normalised, qkv), 2, width, width, width)
		context, _, _ := v.MultiHeadAttention(onnx.Attention{Query: parts[0], Key: parts[1], Value: parts[2],
			Bias: v.bias(qkv), Heads: v.config.Heads})
		scale, shift := v.normalization(fmt.Sprintf("vision_model.encoder.layers.%d.layer_norm2", i), width)
		var inner onnx.Value
		inner, after = v.SkipLayerNorm(v.product(context, projection), residual,
			scale, shift, v.bias(projection), v.config.LayerNormEpsilon)
		feed = v.product(v.activate(v.product(inner, first), v.bias(first)), second)
	})
	return feed, after
}

// activate adds the bias and applies the encoder's activation.
func (v *visionEncoder) activate(x, bias onnx.Value) onnx.Value {
	if v.config.Activation == quickGeluActivation {
		return v.QuickGelu(v.Add(x, bias), quickGeluAlpha)
	}
	return v.BiasGelu(x, bias)
}

// encode is the whole encoder: pixels [B 3 S S] to image tokens [B N D].
func (v *visionEncoder) encode(pixels onnx.Value) onnx.Value {
	residual := v.embeddings(pixels)
	norm := v.norm(0)
	normalised := v.normalize(residual, norm.name, v.config.HiddenSize, norm.epsilon)
	for i := range v.config.Layers {
		feed, after := v.layer(i, normalised, residual)
		_, _, _, second := visionProducts(v.config, i)
		norm = v.norm(i + 1)
		scale, shift := v.normalization(norm.name, v.config.HiddenSize)
		normalised, residual = v.SkipLayerNorm(feed, after, scale, shift, v.bias(second), norm.epsilon)
	}
	return normalised
}

// visionGraph is the graph of the vision encoder.
func visionGraph(config checkpoint.Config, weights *store) *onnx.Graph {
	graph := onnx.NewGraph("vision")
	encoder := &visionEncoder{&network{Graph: graph, store: weights}, config.Vision}
	side := onnx.Fixed(config.Vision.ImageSize)
	pixels := graph.Input(PixelsName, onnx.Float32, onnx.Dynamic("batch"), onnx.Fixed(3), side, side)
	graph.Output(ImageTokensName, encoder.encode(pixels))
	return graph
}
