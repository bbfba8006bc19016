package language

import (
	"fmt"
	"math"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/onnx"
)

// opt is OPT (arXiv 2205.01068): layer norms before the sublayers, learned positions, biases everywhere.
type opt struct{ *model }

const optPrefix = Prefix + "model.decoder."

func (o opt) layers() int { return o.config.Layers }

func (o opt) headTensor() string { return o.tokenTensor(optPrefix + "embed_tokens") }

// tokenTensor is the tensor of the head: the token embedding, named here, or one of its own.
func (m *model) tokenTensor(embedding string) string {
	if m.config.Tied {
		return embedding
	}
	return Prefix + "lm_head"
}

// begin adds the positions: those of a run that begins the text count from 0, whatever the length of each row; a later
// one's from the end of what came before.
func (o opt) begin(x onnx.Value, s *step) onnx.Value {
	length := o.Size(x, 1)
	first := o.Add(o.Subtract(o.Cast(s.last, onnx.Int64), length), o.Int64s(1+tensors.OPTPositionOffset))
	first = o.Maximum(first, o.Int64s(tensors.OPTPositionOffset))
	positions := o.Add(o.Unsqueeze(first, 1), o.Range(o.Squeeze(length), onnx.Dynamic(textSize)))
	rows := o.config.Positions + tensors.OPTPositionOffset
	table := o.Tensor(optPrefix+"embed_positions.weight", []int{rows, o.config.HiddenSize}, rows, o.config.HiddenSize)
	return o.Add(x, o.Gather(table, positions))
}

func (o opt) layer(i int, x onnx.Value, s *step) onnx.Value {
	width, inner := o.config.HiddenSize, o.config.IntermediateSize
	name := fmt.Sprintf("%slayers.%d.", optPrefix, i)
	own := name + "self_attn."
	normed := o.Normalize(x, name+"self_attn_layer_norm", width, o.config.NormEpsilon)
	packed := o.Apply(normed, linear(width, width, own+"q_proj", own+"k_proj", own+"v_proj"))
	context := o.attend(i, onnx.GroupAttention{Query: packed}, s)
	x = o.Add(x, o.Apply(context, linear(width, width, own+"out_proj")))
	normed = o.Normalize(x, name+"final_layer_norm", width, o.config.NormEpsilon)
	raised := o.activate(o.Apply(normed, linear(width, inner, name+"fc1")))
	return o.Add(x, o.Apply(raised, linear(inner, width, name+"fc2")))
}

func (o opt) end(x onnx.Value) onnx.Value {
	return o.Normalize(x, optPrefix+"final_layer_norm", o.config.HiddenSize, o.config.NormEpsilon)
}

// activate is the activation of the feed-forward blocks.
func (m *model) activate(x onnx.Value) onnx.Value {
	switch m.config.Activation {
	case "relu":
		return m.Relu(x)
	case "gelu":
		return m.Gelu(x)
	case "gelu_new":
		return m.FastGelu(x)
	case "silu":
		return m.QuickGelu(x, 1)
	}
	m.Fail(fmt.Errorf("activation %q of the language model is not known", m.config.Activation))
	return onnx.Value{}
}

// inverseRoot is 1/√n.
func inverseRoot(n int) float32 { return float32(1 / math.Sqrt(float64(n))) }
