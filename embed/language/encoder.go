package language

import (
	"fmt"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/quantize"
)

// encoderDecoder is a language model whose decoder, the stack, reads what an encoder makes of a prompt.
type encoderDecoder interface {
	stack
	// encoderBegin makes of embeddings [B S H] what the encoder's first layer reads.
	encoderBegin(embeddings onnx.Value) onnx.Value
	// encoderBias is added to the scores of the encoder's layers: [1 heads S S], or missing.
	encoderBias() onnx.Value
	// encoderLayer applies a layer of the encoder to x [B S H].
	encoderLayer(i int, x, bias onnx.Value) onnx.Value
	// encoderEnd is what follows the encoder's layers.
	encoderEnd(x onnx.Value) onnx.Value
	// memory is the keys and values of a decoder layer [B heads S d] for what the encoder gives [B S H].
	memory(i int, encoded onnx.Value) (key, value onnx.Value)
	// decoderBias is added to the scores of the decoder's layers: [1 heads T P+T], or missing.
	decoderBias() onnx.Value
}

// HasEncoder reports whether a language model has an encoder, and so a graph of manifest.LanguageEncodeFile.
func HasEncoder(config modelconfig.Language) bool {
	return config.Architecture == modelconfig.T5 || config.Architecture == modelconfig.Marian
}

// HasBuckets reports whether a language model takes the buckets of relative positions.
func HasBuckets(config modelconfig.Language) bool { return config.Architecture == modelconfig.T5 }

// newEncoderDecoder is the encoder and the decoder of the model's architecture; nil where it has none.
func (m *model) newEncoderDecoder() encoderDecoder {
	switch m.config.Architecture {
	case modelconfig.T5:
		return t5{m}
	case modelconfig.Marian:
		return marian{m}
	}
	return nil
}

// EncodeGraph is the graph of manifest.LanguageEncodeFile: from embeddings to the keys and values that the decoder reads.
func EncodeGraph(config modelconfig.Language, weights *quantize.Store) *onnx.Graph {
	m := newModel("language_encode", config, weights)
	both := m.newEncoderDecoder()
	x := m.embeddings(batchSize)
	bias := both.encoderBias()
	x = both.encoderBegin(x)
	for i := range config.Layers {
		m.Scope(fmt.Sprintf("layer.%d", i), func() { x = both.encoderLayer(i, x, bias) })
	}
	x = both.encoderEnd(x)
	for i := range config.DecoderLayers {
		m.Scope(fmt.Sprintf("memory.%d", i), func() { m.outputMemory(both, i, x) })
	}
	return m.Graph
}

// outputMemory makes the keys and values of a decoder layer outputs.
func (m *model) outputMemory(both encoderDecoder, layer int, encoded onnx.Value) {
	key, value := both.memory(layer, encoded)
	m.Output(fmt.Sprint(manifest.EncodedKeyPrefix, layer), key)
	m.Output(fmt.Sprint(manifest.EncodedValuePrefix, layer), value)
}

// encodedInputs declares what the encoder says to a layer.
func (m *model) encodedInputs(layer int) (key, value onnx.Value) {
	shape := onnx.Shape{onnx.Dynamic(promptsSize), onnx.Fixed(m.config.Heads), onnx.Dynamic(encodedSize), onnx.Fixed(m.config.HeadWidth)}
	return m.Input(fmt.Sprint(manifest.EncodedKeyPrefix, layer), onnx.Float32, shape...),
		m.Input(fmt.Sprint(manifest.EncodedValuePrefix, layer), onnx.Float32, shape...)
}

// decoderInputs declares what the decoder's layers take beside their stream.
func (m *model) decoderInputs(both encoderDecoder, s *step) {
	s.bias = both.decoderBias()
	keys, values := make([]onnx.Value, both.layers()), make([]onnx.Value, both.layers())
	for i := range keys {
		keys[i], values[i] = m.encodedInputs(i)
	}
	s.encoded = func(i int) (key, value onnx.Value) { return keys[i], values[i] }
}

// inner is the width of all heads.
func (m *model) inner() int { return m.config.Heads * m.config.HeadWidth }

// look lets queries [B T W] read keys and values [E H S d] of the encoder, with a scale of the scores. Each prompt's keys and
// values serve B/E rows in turn, such as its beams.
func (m *model) look(query, key, value onnx.Value, scale float32) onnx.Value {
	together := onnx.Shape{key.Shape[0], onnx.Dynamic("queries"), query.Shape[2]}
	target := m.Concat(0, onnx.Fixed(3), m.Size(key, 0), m.Int64s(-1), m.Int64s(int64(m.inner())))
	context := m.CrossAttention(m.ReshapeTo(query, target, together), key, value, m.config.Heads, scale)
	back := m.Concat(0, onnx.Fixed(3), m.Size(query, 0), m.Size(query, 1), m.Int64s(int64(m.inner())))
	return m.ReshapeTo(context, back, query.Shape)
}

// byHeads cuts keys and values side by side [B S 2W] into heads: [B heads S d] each.
func (m *model) byHeads(both onnx.Value) (key, value onnx.Value) {
	parts := m.Split(both, 2, m.inner(), m.inner())
	shape := onnx.Shape{both.Shape[0], both.Shape[1], onnx.Fixed(m.config.Heads), onnx.Fixed(m.config.HeadWidth)}
	heads := func(x onnx.Value) onnx.Value { return m.Transpose(m.Reshape(x, shape), 0, 2, 1, 3) }
	return heads(parts[0]), heads(parts[1])
}
