package language

import (
	"fmt"
	"math"

	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/quantize"
)

// llama is Llama (arXiv 2302.13971): root-mean-square norms, rotary positions, a gated feed-forward block, no biases.
type llama struct{ *model }

const llamaPrefix = Prefix + "model."

func (l llama) layers() int { return l.config.Layers }

func (l llama) headTensor() string { return l.tokenTensor(llamaPrefix + "embed_tokens") }

func (l llama) begin(x onnx.Value, _ *step) onnx.Value { return x }

func (l llama) layer(i int, x onnx.Value, s *step) onnx.Value {
	width, inner := l.config.HiddenSize, l.config.IntermediateSize
	heads, shared := l.config.Heads*l.config.HeadWidth, l.config.KeyValueHeads*l.config.HeadWidth
	name := fmt.Sprintf("%slayers.%d.", llamaPrefix, i)
	own := name + "self_attn."
	normed := l.normalize(x, name+"input_layernorm")
	var attention onnx.GroupAttention
	if heads == shared {
		attention.Query = l.Product(normed, linear(width, heads, own+"q_proj", own+"k_proj", own+"v_proj"))
	} else {
		attention.Query = l.Product(normed, linear(width, heads, own+"q_proj"))
		attention.Key = l.Product(normed, linear(width, shared, own+"k_proj"))
		attention.Value = l.Product(normed, linear(width, shared, own+"v_proj"))
	}
	attention.Cosines, attention.Sines = l.rotary()
	context := l.attend(i, attention, s)
	x = l.Add(x, l.Product(context, linear(heads, width, own+"o_proj")))
	normed = l.normalize(x, name+"post_attention_layernorm")
	return l.Add(x, l.gated(normed, name+"mlp.gate_proj", name+"mlp.up_proj", linear(inner, width, name+"mlp.down_proj")))
}

func (l llama) end(x onnx.Value) onnx.Value { return l.normalize(x, llamaPrefix+"norm") }

// normalize is the root-mean-square norm of x under this name.
func (m *model) normalize(x onnx.Value, name string) onnx.Value {
	return m.RootMeanSquareNormalize(x, name, m.config.HiddenSize, m.config.NormEpsilon)
}

// Capacity is the longest sequence that a language model reads and writes, the image's vectors counted; 0 where there is no
// bound.
func Capacity(config modelconfig.Language) int {
	if config.Architecture == modelconfig.Llama && (config.Positions == 0 || config.Positions > mostPositions) {
		return mostPositions
	}
	return config.Positions
}

// rotary is the tables of cosines and sines [P d/2], computed in float32 as the reference does.
func (l llama) rotary() (cosines, sines onnx.Value) {
	half, places := l.config.HeadWidth/2, Capacity(l.config)
	table := func(name string, of func(float64) float64) onnx.Value {
		return l.Computed(name, func() []float32 {
			values := make([]float32, places*half)
			for i := range half {
				frequency := float32(1 / math.Pow(l.config.RotaryTheta, float64(2*i)/float64(l.config.HeadWidth)))
				for place := range places {
					values[place*half+i] = float32(of(float64(float32(place) * frequency)))
				}
			}
			return values
		}, places, half)
	}
	return table("rotary.cosines", math.Cos), table("rotary.sines", math.Sin)
}

// gated is a feed-forward block whose activation of one product is multiplied by another product.
func (m *model) gated(x onnx.Value, gate, up string, down quantize.Product) onnx.Value {
	width, inner := m.config.HiddenSize, m.config.IntermediateSize
	parts := m.Split(m.Product(x, linear(width, inner, gate, up)), 2, inner, inner)
	return m.Product(m.Multiply(m.activate(parts[0]), parts[1]), down)
}
