package language

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/checkpoint"
	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/quantize"
)

// parityTolerance is the largest absolute error allowed between our graphs and the reference, both in float32.
const parityTolerance = 1e-4

// reference is what train/parity/decoders.py wrote for one random model.
type reference struct {
	Name     string
	Seed     uint64
	Language modelconfig.Language
	Shapes   map[string][]int
	Vectors  int // that stand for an image
	Prompts  []struct {
		IDs           []int64         `json:"ids"`
		EncoderStates blip2test.Array `json:"encoder_states"`
		States        blip2test.Array `json:"states"`     // before each layer, and after the last norm
		AllLogits     blip2test.Array `json:"all_logits"` // of every position of the prompt; of T5 of what was written
		Written       []int64         `json:"written"`    // greedily
		Logits        blip2test.Array `json:"logits"`     // before each of these
	}
}

func readReferences(t testing.TB) []reference {
	t.Helper()
	paths, err := filepath.Glob("testdata/parity/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no reference outputs: %v", err)
	}
	references := make([]reference, len(paths))
	for i, path := range paths {
		readJSON(t, path, &references[i])
	}
	return references
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// Has, Shape and Float32 give the reference's weights.
func (r reference) Has(name string) bool { return r.Shapes[name] != nil }

func (r reference) Shape(name string) ([]int, bool) {
	shape, ok := r.Shapes[name]
	return shape, ok
}

func (r reference) Float32(_ context.Context, name string) ([]float32, error) {
	return checkpoint.RandomTensor(name, r.Seed, r.Shapes[name]...), nil
}

// table is the token embedding.
func (r reference) table() []float32 {
	return checkpoint.RandomTensor(tensors.LanguageEmbedding(r.Language), r.Seed, r.Language.VocabularySize, r.Language.HiddenSize)
}

// embed is the token embeddings of ids.
func (r reference) embed(ids ...int64) []float32 {
	table, width := r.table(), r.Language.HiddenSize
	var rows []float32
	for _, id := range ids {
		rows = append(rows, table[int(id)*width:(int(id)+1)*width]...)
	}
	return rows
}

// prompt is the embeddings of prompt i: the image's vectors and the text's tokens.
func (r reference) prompt(i int) []float32 {
	vectors := checkpoint.RandomTensor(fmt.Sprint("vectors ", i), r.Seed, r.Vectors, r.Language.HiddenSize)
	return append(vectors, r.embed(r.Prompts[i].IDs...)...)
}

// write writes graphs over the reference's weights.
func (r reference) write(t testing.TB, dir string, plan quantize.Plan, graphs ...quantize.Graph) {
	t.Helper()
	data, err := onnx.CreateDataFile(dir, "weights.bin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := quantize.WriteGraphs(t.Context(), dir, quantize.NewStore(t.Context(), r, data, plan), graphs); err != nil {
		t.Fatal(err)
	}
}

// open opens a graph with all its inputs and outputs.
func open(t testing.TB, runtime *ort.Runtime, path string) *ort.Session {
	t.Helper()
	inputs, outputs := orttest.Inspect(t, path)
	session, err := runtime.Session(t.Context(), ort.SessionOptions{Path: path, Inputs: inputs, Outputs: outputs, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// comparison keeps the worst error.
type comparison struct {
	worst float64
	where string
}

func (c *comparison) same(t testing.TB, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, value := range want {
		difference := math.Abs(float64(got[i] - value))
		if !(difference <= parityTolerance) {
			t.Fatalf("%s: value %d is %v, want %v", what, i, got[i], value)
		}
		if difference > c.worst {
			c.worst, c.where = difference, what
		}
	}
}

// TestParity compares every layer's states and all logits with the reference, then writes a text greedily with the graphs
// of a model.
func TestParity(t *testing.T) {
	runtime := orttest.Open(t)
	for _, r := range readReferences(t) {
		t.Run(r.Name, func(t *testing.T) {
			var c comparison
			dir := t.TempDir()
			r.write(t, dir, quantize.Plan{}, Graphs(r.Language)...)
			tapped := t.TempDir()
			r.write(t, tapped, quantize.Plan{}, quantize.Graph{File: "states.onnx", Build: func(w *quantize.Store) *onnx.Graph {
				return statesGraph(r.Language, w)
			}})
			states := open(t, runtime, filepath.Join(tapped, "states.onnx"))
			for i := range r.Prompts {
				r.compareStates(t, &c, states, i)
				text := newText(t, runtime, dir, r.Language)
				r.compareText(t, &c, text, i)
			}
			t.Logf("worst absolute error %.2g (%s)", c.worst, c.where)
		})
	}
}

// statesGraph gives the states before every layer and after the last norm, and the logits of every position.
func statesGraph(config modelconfig.Language, weights *quantize.Store) *onnx.Graph {
	m := newModel("states", config, weights)
	stack, err := m.newStack()
	if err != nil {
		m.Fail(err)
		return m.Graph
	}
	s := &step{}
	x := m.embeddings(batchSize)
	s.last, s.total = m.lengths()
	if config.Architecture == modelconfig.T5 {
		t := t5{m}
		encoded := m.Input("prompt", onnx.Float32, onnx.Dynamic(batchSize), onnx.Dynamic(encodedSize), m.width())
		bias := t.relativeBias(t5Encoder, m.Input("encoder_buckets", onnx.Int64, onnx.Dynamic(encodedSize), onnx.Dynamic(encodedSize)))
		for i := range config.Layers {
			m.Output(fmt.Sprint("encoder_", i), encoded)
			encoded = t.encoderLayer(i, encoded, bias)
		}
		encoded = t.encoderEnd(encoded)
		m.Output(fmt.Sprint("encoder_", config.Layers), encoded)
		s.bias = t.relativeBias(t5Decoder, t.buckets(textSize, totalSize))
		s.encoded = func(i int) (key, value onnx.Value) { return t.memory(i, encoded) }
	}
	x = stack.begin(x, s)
	for i := range stack.layers() {
		m.Output(fmt.Sprint("states_", i), x)
		x = stack.layer(i, x, s)
	}
	x = stack.end(x)
	m.Output(fmt.Sprint("states_", stack.layers()), x)
	m.Output("all_logits", m.head(x, stack.headTensor()))
	return m.Graph
}

func (r reference) compareStates(t *testing.T, c *comparison, session *ort.Session, i int) {
	t.Helper()
	width := int64(r.Language.HiddenSize)
	embeddings, want := r.prompt(i), r.Prompts[i]
	inputs := map[string]ort.Tensor{}
	if r.Language.Architecture == modelconfig.T5 {
		length := int64(len(embeddings)) / width
		inputs["prompt"] = ort.Float32Tensor(embeddings, 1, length, width)
		inputs["encoder_buckets"] = ort.Int64Tensor(EncoderBuckets(r.Language, int(length)), length, length)
		embeddings = r.embed(append([]int64{r.Language.Start}, want.Written[:len(want.Written)-1]...)...)
	}
	length := int64(len(embeddings)) / width
	inputs[manifest.EmbeddingsName] = ort.Float32Tensor(embeddings, 1, length, width)
	inputs[manifest.LastPositionName] = ort.Int32Tensor([]int32{int32(length - 1)}, 1)
	inputs[manifest.TotalLengthName] = ort.Int32Tensor([]int32{int32(length)}, 1)
	inputs[manifest.BucketsName] = ort.Int64Tensor(DecoderBuckets(r.Language, 0, int(length)), length, length)
	results := orttest.Run(t, session, inputs, nil)
	layers := func(prefix string, want blip2test.Array) {
		values := want.Values(t)
		size := len(values) / int(want.Shape[0])
		for layer := range int(want.Shape[0]) {
			name := fmt.Sprint(prefix, layer)
			c.same(t, fmt.Sprintf("prompt %d, %s", i, name), results[name].Float32(), values[layer*size:(layer+1)*size])
		}
	}
	if r.Language.Architecture == modelconfig.T5 {
		layers("encoder_", want.EncoderStates)
	}
	layers("states_", want.States)
	c.same(t, "all logits", results["all_logits"].Float32(), want.AllLogits.Values(t))
}

// text writes by the graphs of a model, with one buffer for keys and values.
type text struct {
	config       modelconfig.Language
	encode, step *ort.Session
	buffers      map[string]ort.Tensor // by the names of past and present
	encoded      map[string]ort.Tensor
	rows, length int
}

const capacity = 200

func newText(t testing.TB, runtime *ort.Runtime, dir string, config modelconfig.Language) *text {
	x := &text{config: config, step: open(t, runtime, filepath.Join(dir, manifest.LanguageStepFile)), rows: 1}
	if HasEncoder(config) {
		x.encode = open(t, runtime, filepath.Join(dir, manifest.LanguageEncodeFile))
	}
	x.begin(1)
	return x
}

// begin makes room for texts.
func (x *text) begin(rows int) {
	x.rows, x.length, x.buffers = rows, 0, map[string]ort.Tensor{}
	layers := x.config.Layers
	if HasEncoder(x.config) {
		layers = x.config.DecoderLayers
	}
	for i := range layers {
		for _, names := range [][2]string{{manifest.PastKeyPrefix, manifest.PresentKeyPrefix}, {manifest.PastValuePrefix, manifest.PresentValuePrefix}} {
			shape := []int64{int64(rows), int64(x.config.KeyValueHeads), capacity, int64(x.config.HeadWidth)}
			tensor := ort.Float32Tensor(make([]float32, rows*x.config.KeyValueHeads*capacity*x.config.HeadWidth), shape...)
			x.buffers[fmt.Sprint(names[0], i)], x.buffers[fmt.Sprint(names[1], i)] = tensor, tensor
		}
	}
}

// next goes on with embeddings [rows length H], of which the rows have these lengths, and returns the logits [rows V].
func (x *text) next(t testing.TB, embeddings []float32, last ...int32) []float32 {
	t.Helper()
	length := len(embeddings) / x.config.HiddenSize / x.rows
	before := x.length
	x.length += length
	inputs := map[string]ort.Tensor{
		manifest.EmbeddingsName:   ort.Float32Tensor(embeddings, int64(x.rows), int64(length), int64(x.config.HiddenSize)),
		manifest.LastPositionName: ort.Int32Tensor(last, int64(x.rows)),
		manifest.TotalLengthName:  ort.Int32Tensor([]int32{int32(x.length)}, 1),
		manifest.BucketsName:      ort.Int64Tensor(DecoderBuckets(x.config, before, length), int64(length), int64(x.length)),
	}
	for _, given := range []map[string]ort.Tensor{x.buffers, x.encoded} {
		for name, tensor := range given {
			inputs[name] = tensor
		}
	}
	return orttest.Run(t, x.step, inputs, x.buffers)[manifest.LogitsName].Float32()
}

// read lets T5's encoder read embeddings [1 S H].
func (x *text) read(t testing.TB, embeddings []float32) {
	t.Helper()
	length := int64(len(embeddings) / x.config.HiddenSize)
	x.encoded = orttest.Run(t, x.encode, map[string]ort.Tensor{
		manifest.EmbeddingsName: ort.Float32Tensor(embeddings, 1, length, int64(x.config.HiddenSize)),
		manifest.BucketsName:    ort.Int64Tensor(EncoderBuckets(x.config, int(length)), length, length),
	}, nil)
}

func (r reference) compareText(t *testing.T, c *comparison, x *text, i int) {
	t.Helper()
	embeddings, want := r.prompt(i), r.Prompts[i]
	if x.encode != nil {
		x.read(t, embeddings)
		embeddings = r.embed(r.Language.Start)
	}
	expected, size := want.Logits.Values(t), r.Language.VocabularySize
	for at, id := range want.Written {
		logits := x.next(t, embeddings, int32(x.length+len(embeddings)/r.Language.HiddenSize-1))
		c.same(t, fmt.Sprintf("prompt %d, logits before token %d", i, at), logits, expected[at*size:(at+1)*size])
		if chosen := int64(slices.Index(logits, slices.Max(logits))); chosen != id {
			t.Fatalf("prompt %d: token %d is %d, want %d", i, at, chosen, id)
		}
		embeddings = r.embed(id)
	}
}

// TestBatch writes several prompts of different lengths at once, padded on the right, and wants what each gives alone.
func TestBatch(t *testing.T) {
	runtime := orttest.Open(t)
	for _, r := range readReferences(t) {
		if HasEncoder(r.Language) || len(r.Prompts) < 2 {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			dir := t.TempDir()
			r.write(t, dir, quantize.Plan{}, Graphs(r.Language)...)
			x := newText(t, runtime, dir, r.Language)
			x.begin(len(r.Prompts))
			width, longest := r.Language.HiddenSize, 0
			for i := range r.Prompts {
				longest = max(longest, len(r.prompt(i)))
			}
			var embeddings []float32
			var last []int32
			for i := range r.Prompts {
				one := r.prompt(i)
				last = append(last, int32(len(one)/width-1))
				embeddings = append(embeddings, append(one, make([]float32, longest-len(one))...)...)
			}
			var c comparison
			size := r.Language.VocabularySize
			for at := range r.Prompts[0].Written {
				logits := x.next(t, embeddings, last...)
				embeddings = nil
				for i, prompt := range r.Prompts {
					c.same(t, fmt.Sprintf("prompt %d, token %d", i, at), logits[i*size:(i+1)*size], prompt.Logits.Values(t)[at*size:(at+1)*size])
					embeddings = append(embeddings, r.embed(prompt.Written[at])...)
					last[i]++
				}
			}
			t.Logf("worst absolute error %.2g (%s)", c.worst, c.where)
		})
	}
}

// TestSharedPrompt lets two rows of T5's decoder read one prompt, as beams do, and wants of both what one gives.
func TestSharedPrompt(t *testing.T) {
	runtime := orttest.Open(t)
	for _, r := range readReferences(t) {
		if !HasEncoder(r.Language) {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			dir := t.TempDir()
			r.write(t, dir, quantize.Plan{}, Graphs(r.Language)...)
			x := newText(t, runtime, dir, r.Language)
			x.begin(2)
			x.read(t, r.prompt(0))
			want, size := r.Prompts[0], r.Language.VocabularySize
			var c comparison
			id := r.Language.Start
			for at := range 3 {
				logits := x.next(t, r.embed(id, id), int32(at), int32(at))
				for row := range 2 {
					c.same(t, fmt.Sprintf("row %d, token %d", row, at), logits[row*size:(row+1)*size], want.Logits.Values(t)[at*size:(at+1)*size])
				}
				id = want.Written[at]
			}
		})
	}
}

// TestBuckets compares T5's buckets with the reference's.
func TestBuckets(t *testing.T) {
	var references map[string]map[string][]int64
	readJSON(t, "testdata/buckets.json", &references)
	for sizes, sides := range references {
		var config modelconfig.Language
		if _, err := fmt.Sscan(sizes, &config.RelativeBuckets, &config.RelativeDistance); err != nil {
			t.Fatal(err)
		}
		for i, want := range sides["encoder"] {
			if got := encoderBucket(config, i-200); got != want {
				t.Errorf("%s: encoder's bucket of %d is %d, want %d", sizes, i-200, got, want)
			}
		}
		decoder := DecoderBuckets(config, 200, 1)
		if want := sides["decoder"][:201]; !slices.Equal(decoder, want) {
			t.Errorf("%s: decoder's buckets are %v, want %v", sizes, decoder, want)
		}
	}
}
