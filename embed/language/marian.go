package language

import (
	"fmt"
	"math"

	"mekiki/embed/onnx"
)

// marian is the transformer of Marian's translation models (arXiv 1804.00344, after arXiv 1706.03762): an encoder and a
// decoder, layer norms after the sublayers, sinusoids as positions, biases everywhere. Source: MarianMTModel of transformers.
type marian struct{ *model }

// Names of Marian's tensors.
const (
	marianEncoder = Prefix + "model.encoder."
	marianDecoder = Prefix + "model.decoder."
	// marianLogitsBias is added to the logits.
	marianLogitsBias = Prefix + "final_logits_bias"
)

func (m marian) layers() int { return m.config.DecoderLayers }

func (m marian) headTensor() string { return m.tokenTensor(Prefix + "model.shared") }

// begin adds the positions of the decoder: see opt.begin.
func (m marian) begin(x onnx.Value, s *step) onnx.Value {
	length := m.Size(x, 1)
	first := m.Maximum(m.Add(m.Subtract(m.Cast(s.last, onnx.Int64), length), m.Int64s(1)), m.Int64s(0))
	return m.withPositions(x, m.Add(m.Unsqueeze(first, 1), m.Range(m.Squeeze(length), onnx.Dynamic(textSize))))
}

// encoderBegin adds the positions of the encoder, which count from 0.
func (m marian) encoderBegin(x onnx.Value) onnx.Value {
	return m.withPositions(x, m.Unsqueeze(m.Range(m.Squeeze(m.Size(x, 1)), onnx.Dynamic(textSize)), 0))
}

// withPositions scales embeddings and adds the sinusoids of their positions.
func (m marian) withPositions(x, positions onnx.Value) onnx.Value {
	if m.config.ScaleInput {
		x = m.Multiply(x, m.Float(float32(math.Sqrt(float64(m.config.HiddenSize)))))
	}
	places, width := m.config.Positions, m.config.HiddenSize
	table := m.Computed("positions", func() []float32 { return sinusoids(places, width) }, places, width)
	return m.Add(x, m.Gather(table, positions))
}

// sinusoids is the table of positions [places width]: sines of the first half of a row, then cosines, unlike the original
// paper's, which alternate.
func sinusoids(places, width int) []float32 {
	table := make([]float32, places*width)
	half := (width + 1) / 2
	for place := range places {
		for i := range width {
			angle := float64(place) / math.Pow(10000, float64(i/2*2)/float64(width))
			at := place*width + i/2
			if i%2 == 1 {
				at += half
				table[at] = float32(math.Cos(angle))
			} else {
				table[at] = float32(math.Sin(angle))
			}
		}
	}
	return table
}

func (m marian) encoderBias() onnx.Value { return onnx.Value{} }

func (m marian) decoderBias() onnx.Value { return onnx.Value{} }

// norm is the layer norm of this name.
func (m marian) norm(x onnx.Value, name string) onnx.Value {
	return m.Normalize(x, name, m.config.HiddenSize, m.config.NormEpsilon)
}

// own is query, key and value of a self-attention under this name, side by side.
func (m marian) own(x onnx.Value, name string) onnx.Value {
	return m.Apply(x, linear(m.config.HiddenSize, m.inner(), name+"self_attn.q_proj", name+"self_attn.k_proj", name+"self_attn.v_proj"))
}

// out is the output product of an attention under this name.
func (m marian) out(context onnx.Value, name string) onnx.Value {
	return m.Apply(context, linear(m.inner(), m.config.HiddenSize, name+".out_proj"))
}

// feedForward is a feed-forward block, the norm after it included.
func (m marian) feedForward(x onnx.Value, name string, inner int) onnx.Value {
	width := m.config.HiddenSize
	raised := m.activate(m.Apply(x, linear(width, inner, name+"fc1")))
	return m.norm(m.Add(x, m.Apply(raised, linear(inner, width, name+"fc2"))), name+"final_layer_norm")
}

func (m marian) layer(i int, x onnx.Value, s *step) onnx.Value {
	name := fmt.Sprintf("%slayers.%d.", marianDecoder, i)
	context := m.attend(i, onnx.GroupAttention{Query: m.own(x, name)}, s)
	x = m.norm(m.Add(x, m.out(context, name+"self_attn")), name+"self_attn_layer_norm")
	query := m.Apply(x, linear(m.config.HiddenSize, m.inner(), name+"encoder_attn.q_proj"))
	key, value := s.encoded(i)
	context = m.look(query, key, value, inverseRoot(m.config.HeadWidth))
	x = m.norm(m.Add(x, m.out(context, name+"encoder_attn")), name+"encoder_attn_layer_norm")
	return m.feedForward(x, name, m.config.DecoderIntermediateSize)
}

// end is nothing: the last layer's norm is the last.
func (m marian) end(x onnx.Value) onnx.Value { return x }

func (m marian) encoderLayer(i int, x, _ onnx.Value) onnx.Value {
	name := fmt.Sprintf("%slayers.%d.", marianEncoder, i)
	parts := m.Split(m.own(x, name), 2, m.inner(), m.inner(), m.inner())
	context, _, _ := m.MultiHeadAttention(onnx.Attention{Query: parts[0], Key: parts[1], Value: parts[2], Heads: m.config.Heads})
	x = m.norm(m.Add(x, m.out(context, name+"self_attn")), name+"self_attn_layer_norm")
	return m.feedForward(x, name, m.config.IntermediateSize)
}

func (m marian) encoderEnd(x onnx.Value) onnx.Value { return x }

func (m marian) memory(i int, encoded onnx.Value) (key, value onnx.Value) {
	name := fmt.Sprintf("%slayers.%d.encoder_attn.", marianDecoder, i)
	return m.byHeads(m.Apply(encoded, linear(m.config.HiddenSize, m.inner(), name+"k_proj", name+"v_proj")))
}

// logitsBias is what is added to the logits of each token.
func (m *model) logitsBias() onnx.Value {
	size := m.config.VocabularySize
	return m.Tensor(marianLogitsBias, []int{1, size}, size)
}
