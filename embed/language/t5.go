package language

import (
	"fmt"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/quantize"
)

// t5 is T5 (arXiv 1910.10683) in its version 1.1: an encoder and a decoder, root-mean-square norms, relative positions that
// all layers of a stack share, scores that are not scaled, no biases.
type t5 struct{ *model }

// Names of T5's tensors.
const (
	t5Encoder = Prefix + "encoder."
	t5Decoder = Prefix + "decoder."
	t5Bias    = "block.0.layer.0.SelfAttention.relative_attention_bias.weight"
)

func (t t5) layers() int { return t.config.DecoderLayers }

func (t t5) headTensor() string { return t.tokenTensor(Prefix + "shared") }

func (t t5) begin(x onnx.Value, _ *step) onnx.Value { return x }

// relativeBias is what a stack's bias table adds to the scores, by buckets int64 [T S]: [1 heads T S].
func (t t5) relativeBias(stack string, buckets onnx.Value) onnx.Value {
	shape := []int{t.config.RelativeBuckets, t.config.Heads}
	rows := t.Gather(t.Tensor(stack+t5Bias, shape, shape...), buckets)
	return t.Unsqueeze(t.Transpose(rows, 2, 0, 1), 0)
}

// buckets declares the buckets of relative positions [rows columns] as an input.
func (t t5) buckets(rows, columns string) onnx.Value {
	return t.Input(manifest.BucketsName, onnx.Int64, onnx.Dynamic(rows), onnx.Dynamic(columns))
}

func (t t5) decoderBias() onnx.Value {
	return t.relativeBias(t5Decoder, t.buckets(textSize, totalSize))
}

func (t t5) encoderBias() onnx.Value { return t.relativeBias(t5Encoder, t.buckets(textSize, textSize)) }

func (t t5) encoderBegin(x onnx.Value) onnx.Value { return x }

// selfProjections is query, key and value of a self-attention under this name.
func (t t5) selfProjections(name string) quantize.Product {
	return linear(t.config.HiddenSize, t.inner(), name+".q", name+".k", name+".v")
}

func (t t5) layer(i int, x onnx.Value, s *step) onnx.Value {
	width := t.config.HiddenSize
	name := fmt.Sprintf("%sblock.%d.layer.", t5Decoder, i)
	normed := t.normalize(x, name+"0.layer_norm")
	packed := t.Product(normed, t.selfProjections(name+"0.SelfAttention"))
	context := t.attend(i, onnx.GroupAttention{Query: packed, Scale: 1}, s)
	x = t.Add(x, t.Product(context, linear(t.inner(), width, name+"0.SelfAttention.o")))
	query := t.Product(t.normalize(x, name+"1.layer_norm"), linear(width, t.inner(), name+"1.EncDecAttention.q"))
	key, value := s.encoded(i)
	x = t.Add(x, t.Product(t.look(query, key, value, 1), linear(t.inner(), width, name+"1.EncDecAttention.o")))
	return t.Add(x, t.feedForward(x, name+"2."))
}

// feedForward is a feed-forward block with the norm before it.
func (t t5) feedForward(x onnx.Value, name string) onnx.Value {
	normed := t.normalize(x, name+"layer_norm")
	width, inner := t.config.HiddenSize, t.config.IntermediateSize
	dense := name + "DenseReluDense."
	fall := linear(inner, width, dense+"wo")
	if t.config.Gated {
		return t.gated(normed, dense+"wi_0", dense+"wi_1", fall)
	}
	return t.Product(t.activate(t.Product(normed, linear(width, inner, dense+"wi"))), fall)
}

func (t t5) end(x onnx.Value) onnx.Value { return t.normalize(x, t5Decoder+"final_layer_norm") }

// encoderLayer applies a layer of the encoder to x [B S H].
func (t t5) encoderLayer(i int, x, bias onnx.Value) onnx.Value {
	name := fmt.Sprintf("%sblock.%d.layer.", t5Encoder, i)
	parts := t.Split(t.Product(t.normalize(x, name+"0.layer_norm"), t.selfProjections(name+"0.SelfAttention")), 2, t.inner(), t.inner(), t.inner())
	context := t.Attend(onnx.Attention{Query: parts[0], Key: parts[1], Value: parts[2],
		ScoreBias: bias, Heads: t.config.Heads, Scale: 1})
	x = t.Add(x, t.Product(context, linear(t.inner(), t.config.HiddenSize, name+"0.SelfAttention.o")))
	return t.Add(x, t.feedForward(x, name+"1."))
}

// FloatProducts are the products that are computed in float32 where the others are in half precision: the last of T5's
// feed-forward blocks, whose results exceed what that holds; transformers keeps the same ones.
func FloatProducts(config modelconfig.Language) []string {
	var names []string
	add := func(prefix string, layers, place int) {
		for i := range layers {
			names = append(names, linear(config.IntermediateSize, config.HiddenSize, fmt.Sprintf("%sblock.%d.layer.%d.DenseReluDense.wo", prefix, i, place)).Name())
		}
	}
	if config.Architecture == modelconfig.T5 {
		add(t5Encoder, config.Layers, 1)
		add(t5Decoder, config.DecoderLayers, 2)
	}
	return names
}

// encoderEnd is the norm after the encoder's layers.
func (t t5) encoderEnd(x onnx.Value) onnx.Value { return t.normalize(x, t5Encoder+"final_layer_norm") }

func (t t5) memory(i int, encoded onnx.Value) (key, value onnx.Value) {
	name := fmt.Sprintf("%sblock.%d.layer.1.EncDecAttention", t5Decoder, i)
	return t.byHeads(t.Product(encoded, linear(t.config.HiddenSize, t.inner(), name+".k", name+".v")))
}
