package language

import (
	"fmt"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/quantize"
)

// Names of dynamic sizes.
const (
	batchSize    = "batch"    // texts
	textSize     = "text"     // positions of a run
	totalSize    = "total"    // positions of a run and before it
	capacitySize = "capacity" // positions that there is room for
	promptsSize  = "prompts"  // texts of an encoder
	encodedSize  = "encoded"  // positions of an encoder
)

// Prefix begins the names of all tensors of a language model.
const Prefix = tensors.LanguagePrefix

// model builds parts of a language model.
type model struct {
	*quantize.Network
	config modelconfig.Language
}

func newModel(name string, config modelconfig.Language, weights *quantize.Store) *model {
	return &model{quantize.NewNetwork(name, weights), config}
}

// stack is a run of layers that go on with texts: the decoder of T5 and Marian, all of OPT and Llama.
type stack interface {
	// begin makes of embeddings [B T H] what the first layer reads.
	begin(embeddings onnx.Value, s *step) onnx.Value
	// layer applies a layer.
	layer(i int, x onnx.Value, s *step) onnx.Value
	// end is the norm after the last layer.
	end(x onnx.Value) onnx.Value
	// layers is how many there are.
	layers() int
	// headTensor names the tensor of the head, without ".weight".
	headTensor() string
}

// step is what a run of the stack takes beside embeddings.
type step struct {
	last, total          onnx.Value                              // int32 [B] and [1]: see manifest.LastPositionName and TotalLengthName
	bias                 onnx.Value                              // T5: [1 heads T P+T], added to the scores
	buffers              bool                                    // the keys and values before are given, and those after are outputs
	pastKeys, pastValues []onnx.Value                            // [B G C d], of each layer
	encoded              func(layer int) (key, value onnx.Value) // what an encoder says to a layer
}

// newStack is the stack of the model's architecture.
func (m *model) newStack() (stack, error) {
	switch m.config.Architecture {
	case modelconfig.OPT:
		return opt{m}, nil
	case modelconfig.Llama:
		return llama{m}, nil
	}
	if both := m.newEncoderDecoder(); both != nil {
		return both, nil
	}
	return nil, fmt.Errorf("no graph is known for a language model of architecture %q", m.config.Architecture)
}

// width is a dimension of the model's width.
func (m *model) width() onnx.Dimension { return onnx.Fixed(m.config.HiddenSize) }

// linear is a fully connected layer.
func linear(input, output int, layers ...string) quantize.Product {
	return quantize.Product{Layers: layers, Input: input, Output: output}
}

// lengths declares the last position of each row and the total length as inputs.
func (m *model) lengths() (last, total onnx.Value) {
	return m.Input(manifest.LastPositionName, onnx.Int32, onnx.Dynamic(batchSize)),
		m.Input(manifest.TotalLengthName, onnx.Int32, onnx.Fixed(1))
}

// embeddings declares the embeddings [B T H] as an input.
func (m *model) embeddings(batch string) onnx.Value {
	return m.Input(manifest.EmbeddingsName, onnx.Float32, onnx.Dynamic(batch), onnx.Dynamic(textSize), m.width())
}

// attend is causal self-attention of a layer by grouped queries: packed queries, keys and values, or each of its own.
func (m *model) attend(i int, a onnx.GroupAttention, s *step) onnx.Value {
	a.Heads, a.KeyValueHeads, a.HeadWidth = m.config.Heads, m.config.KeyValueHeads, m.config.HeadWidth
	a.Last, a.Total, a.ScoreBias = s.last, s.total, s.bias
	if s.buffers {
		a.PastKey, a.PastValue = s.pastKeys[i], s.pastValues[i]
		a.PresentKey, a.PresentValue = fmt.Sprint(manifest.PresentKeyPrefix, i), fmt.Sprint(manifest.PresentValuePrefix, i)
	}
	return m.GroupQueryAttention(a)
}

// buffers declares the keys and values before, layer by layer.
func (m *model) buffers(s *step, layers int) {
	shape := onnx.Shape{onnx.Dynamic(batchSize), onnx.Fixed(m.config.KeyValueHeads), onnx.Dynamic(capacitySize), onnx.Fixed(m.config.HeadWidth)}
	s.buffers = true
	for i := range layers {
		s.pastKeys = append(s.pastKeys, m.Input(fmt.Sprint(manifest.PastKeyPrefix, i), onnx.Float32, shape...))
		s.pastValues = append(s.pastValues, m.Input(fmt.Sprint(manifest.PastValuePrefix, i), onnx.Float32, shape...))
	}
}

// place is how far into the run x each row's last position lies: int64 [B]. A run from the beginning may hold rows of
// several lengths, padded on the right; a later one is as long for all.
func (m *model) place(last, x onnx.Value) onnx.Value {
	return m.Minimum(m.Cast(last, onnx.Int64), m.Subtract(m.Size(x, 1), m.Int64s(1)))
}

// head is the logits of states [... H].
func (m *model) head(x onnx.Value, tensor string) onnx.Value {
	size, width := m.config.VocabularySize, m.config.HiddenSize
	if m.config.ScaleOutput {
		x = m.Multiply(x, m.Float(inverseRoot(width)))
	}
	logits := m.TableProduct(x, linear(width, size, tensor), func() onnx.Value {
		return m.Tensor(tensor+".weight", []int{size, width}, size, width)
	})
	if m.config.Architecture == modelconfig.Marian {
		return m.Add(logits, m.logitsBias())
	}
	return logits
}

// StepGraph is the graph of manifest.LanguageStepFile: from embeddings, keys and values to next-token logits.
func StepGraph(config modelconfig.Language, weights *quantize.Store) *onnx.Graph {
	m := newModel("language_step", config, weights)
	stack, err := m.newStack()
	if err != nil {
		m.Fail(err)
		return m.Graph
	}
	x := m.embeddings(batchSize)
	s := &step{}
	s.last, s.total = m.lengths()
	if both, ok := stack.(encoderDecoder); ok {
		m.decoderInputs(both, s)
	}
	m.buffers(s, stack.layers())
	y := stack.begin(x, s)
	for i := range stack.layers() {
		m.Scope(fmt.Sprintf("layer.%d", i), func() { y = stack.layer(i, y, s) })
	}
	y = stack.end(m.GatherRows(y, m.place(s.last, x)))
	m.Output(manifest.LogitsName, m.head(y, stack.headTensor()))
	return m.Graph
}

// InputGraph is the graph of manifest.LanguageInputFile: the projection of image states into the model's embeddings.
func InputGraph(config modelconfig.Config, weights *quantize.Store) *onnx.Graph {
	n := quantize.NewNetwork("language_input", weights)
	states := n.Input(manifest.ImageStatesName, onnx.Float32, onnx.Dynamic(batchSize), onnx.Fixed(config.QueryTokens), onnx.Fixed(config.QFormer.HiddenSize))
	n.Output(manifest.EmbeddingsName, n.Apply(states, Projection(config)))
	return n.Graph
}

// Projection is the product between the Q-Former and the language model.
func Projection(config modelconfig.Config) quantize.Product {
	return linear(config.QFormer.HiddenSize, config.Language.HiddenSize, tensors.LanguageProjection)
}
