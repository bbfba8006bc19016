package language

import (
	"fmt"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/quantize"
)

// Sample is a text about an image by which a quantised language model is chosen and checked.
type Sample struct {
	Image   []float32 // what the projection makes of an image's states [Q H]; none of a model that translates
	Text    []int64   // tokens after it
	Written []int64   // what a decoder writes of it; Text where it is nil
}

// Chains cuts the graphs of a language model into layers, and says with which states samples begin and from which position
// on their logits count. A model with
// an encoder reads a text in it and writes it again in its decoder.
func Chains(config modelconfig.Language, samples []Sample, embeddings *manifest.Embeddings) (chains []quantize.Chain, states []quantize.State, judged []int, err error) {
	for _, sample := range samples {
		embedded, err := embeddings.Append(append([]float32(nil), sample.Image...), sample.Text...)
		if err != nil {
			return nil, nil, nil, err
		}
		states, judged = append(states, streamState(config, embedded)), append(judged, 0)
		if !HasEncoder(config) {
			judged[len(judged)-1] = max(0, len(sample.Image)/config.HiddenSize-1)
		}
	}
	if !HasEncoder(config) {
		chain, err := stepChain(config)
		return []quantize.Chain{chain}, states, judged, err
	}
	written := make([][]float32, len(samples))
	for i, sample := range samples {
		text := sample.Written
		if text == nil {
			text = sample.Text
		}
		if written[i], err = embeddings.Append(nil, append([]int64{config.Start}, text...)...); err != nil {
			return nil, nil, nil, err
		}
	}
	step, err := stepChain(config)
	step.Begin = func(sample int, state quantize.State) {
		for name, tensor := range streamState(config, written[sample]) {
			state[name] = tensor
		}
	}
	encode := encodeChain(config)
	encode.Begin = func(_ int, state quantize.State) {
		if !HasBuckets(config) {
			return
		}
		length := state[quantize.StreamName].Shape()[1]
		state[manifest.BucketsName] = ort.Int64Tensor(EncoderBuckets(config, int(length)), length, length)
	}
	return []quantize.Chain{encode, step}, states, judged, err
}

// streamState is what a stack takes with embeddings [T H].
func streamState(config modelconfig.Language, embeddings []float32) quantize.State {
	length := int64(len(embeddings) / config.HiddenSize)
	state := quantize.State{
		quantize.StreamName:       ort.Float32Tensor(embeddings, 1, length, int64(config.HiddenSize)),
		manifest.LastPositionName: ort.Int32Tensor([]int32{int32(length - 1)}, 1),
		manifest.TotalLengthName:  ort.Int32Tensor([]int32{int32(length)}, 1),
	}
	if HasBuckets(config) {
		state[manifest.BucketsName] = ort.Int64Tensor(DecoderBuckets(config, 0, int(length)), length, length)
	}
	return state
}

// piece is a layer of a chain that makes of the stream [B T H] another one.
func piece(config modelconfig.Language, doing string, apply func(m *model, x onnx.Value) onnx.Value) quantize.Layer {
	return quantize.Layer{Doing: doing, Build: func(weights *quantize.Store) (*onnx.Graph, onnx.Value) {
		m := newModel("language_layer", config, weights)
		x := m.Input(quantize.StreamName, onnx.Float32, onnx.Dynamic(batchSize), onnx.Dynamic(textSize), m.width())
		return m.Graph, apply(m, x)
	}}
}

// stepChain is the stack without buffers, and the head for every position.
func stepChain(config modelconfig.Language) (quantize.Chain, error) {
	all, err := newModel("", config, nil).newStack()
	if err != nil {
		return quantize.Chain{}, err
	}
	chain := quantize.Chain{Graph: graphOf(config, manifest.LanguageStepFile, StepGraph), Data: StepData}
	add := func(doing string, apply func(m *model, stack stack, x onnx.Value) onnx.Value) {
		chain.Layers = append(chain.Layers, piece(config, doing, func(m *model, x onnx.Value) onnx.Value {
			own, err := m.newStack()
			m.Fail(err)
			return apply(m, own, x)
		}))
	}
	if config.Architecture == modelconfig.OPT || config.Architecture == modelconfig.Marian { // whose positions are added
		add("", func(m *model, stack stack, x onnx.Value) onnx.Value {
			s := &step{}
			s.last, _ = m.lengths()
			return stack.begin(x, s)
		})
	}
	for i := range all.layers() {
		add(fmt.Sprintf("language model's layer %d of %d", i+1, all.layers()), func(m *model, stack stack, x onnx.Value) onnx.Value {
			return stack.layer(i, x, m.wholeStep(i))
		})
	}
	add("language model's head", func(m *model, stack stack, x onnx.Value) onnx.Value {
		return m.head(stack.end(x), stack.headTensor())
	})
	chain.Layers[len(chain.Layers)-1].Eight = true
	return chain, nil
}

// wholeStep is what layer i takes of a text that is read whole, without buffers.
func (m *model) wholeStep(i int) *step {
	s := &step{}
	s.last, s.total = m.lengths()
	if both := m.newEncoderDecoder(); both != nil {
		s.bias = both.decoderBias()
		key, value := m.encodedInputs(i)
		s.encoded = func(int) (onnx.Value, onnx.Value) { return key, value }
	}
	return s
}

// encodeChain is the encoder, and the keys and values of the decoder's layers, which stay in the states.
func encodeChain(config modelconfig.Language) quantize.Chain {
	chain := quantize.Chain{Graph: graphOf(config, manifest.LanguageEncodeFile, EncodeGraph), Data: EncodeData}
	add := func(doing string, apply func(m *model, both encoderDecoder, x onnx.Value) onnx.Value) {
		chain.Layers = append(chain.Layers, piece(config, doing, func(m *model, x onnx.Value) onnx.Value {
			return apply(m, m.newEncoderDecoder(), x)
		}))
	}
	add("", func(_ *model, both encoderDecoder, x onnx.Value) onnx.Value { return both.encoderBegin(x) })
	for i := range config.Layers {
		add(fmt.Sprintf("language model's encoder layer %d of %d", i+1, config.Layers), func(_ *model, both encoderDecoder, x onnx.Value) onnx.Value {
			return both.encoderLayer(i, x, both.encoderBias())
		})
	}
	add("", func(_ *model, both encoderDecoder, x onnx.Value) onnx.Value { return both.encoderEnd(x) })
	for i := range config.DecoderLayers {
		add("", func(m *model, both encoderDecoder, x onnx.Value) onnx.Value {
			m.outputMemory(both, i, x)
			return x
		})
	}
	for i := range chain.Layers {
		chain.Layers[i].Prompt = true
	}
	return chain
}
