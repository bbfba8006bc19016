package blip2

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/quantize"
)

// parityTolerance is the largest absolute error allowed between our graphs
// and the reference implementation, both in float32.
const parityTolerance = 1e-4

// reference is what the reference implementation gave for one random model.
type reference struct{ blip2test.Reference }

func readReferences(t *testing.T) []reference {
	t.Helper()
	var references []reference
	for _, read := range blip2test.ReadReferences(t, "testdata/parity") {
		references = append(references, reference{read})
	}
	return references
}

// runGraph opens a graph, runs it once and returns the named outputs.
func runGraph(t testing.TB, runtime *ort.Runtime, path string, inputs map[string]ort.Tensor, outputs ...string) []ort.Tensor {
	t.Helper()
	session := openGraph(t, runtime, path, outputs...)
	ordered := make([]ort.Tensor, 0, len(inputs))
	for _, input := range session.Inputs() {
		ordered = append(ordered, inputs[input.Name])
	}
	results, err := session.Run(t.Context(), ordered...)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// openGraph opens a graph with all its inputs and the named outputs.
func openGraph(t testing.TB, runtime *ort.Runtime, path string, wanted ...string) *ort.Session {
	t.Helper()
	inputs, outputs := orttest.Inspect(t, path)
	options := ort.SessionOptions{Path: path, Inputs: inputs, Threads: 2}
	for _, output := range outputs {
		if len(wanted) == 0 || slices.Contains(wanted, output.Name) {
			options.Outputs = append(options.Outputs, output)
		}
	}
	session, err := runtime.Session(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// texts are the token ids and masks of a reference, padded to the longest.
func (r reference) texts() (ids, mask []int64, longest int) {
	longest = slices.Max(r.TextLengths)
	ids = make([]int64, len(r.TextLengths)*longest)
	mask = make([]int64, len(ids))
	bits := checkpoint.RandomBits("token_ids", r.Seed, len(ids))
	for i, length := range r.TextLengths {
		for j := range length {
			at := i*longest + j
			ids[at], mask[at] = int64(bits[at]%uint64(r.Config.QFormer.VocabularySize)), 1
		}
	}
	return ids, mask, longest
}

func (r reference) pixels() ort.Tensor {
	side := r.Config.Vision.ImageSize
	values := checkpoint.RandomValues("pixels", r.Seed, r.Images*3*side*side)
	for i := range values {
		values[i] *= 2
	}
	return ort.Float32Tensor(values, int64(r.Images), 3, int64(side), int64(side))
}

// weights are the reference's weights.
func (r reference) weights(t testing.TB) *checkpoint.Random {
	t.Helper()
	weights, err := checkpoint.NewRandom(r.Config, r.Seed, true)
	if err != nil {
		t.Fatal(err)
	}
	if r.Untied {
		weights.AddTensor(headDecoder, r.Config.QFormer.VocabularySize, r.Config.QFormer.HiddenSize)
	}
	return weights
}

// compile compiles the reference's weights in float32 into a new folder.
func (r reference) compile(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	if _, err := Compile(t.Context(), r.weights(t), dir, CompileOptions{Precision: manifest.Float32}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestParity compares every graph in float32 with the reference
// implementation on random models of several sizes.
func TestParity(t *testing.T) {
	runtime := orttest.Open(t)
	for _, reference := range readReferences(t) {
		t.Run(reference.Name, func(t *testing.T) {
			parity := &parityRun{reference: reference, runtime: runtime, dir: reference.compile(t), tolerance: parityTolerance}
			tokens := parity.images(t)
			parity.states(t, tokens)
			parity.texts(t)
			parity.match(t, tokens)
			parity.captions(t, tokens)
			t.Logf("worst absolute error %.2g (%s)", parity.worst, parity.where)
		})
	}
}

// parityRun is the comparison of one model.
type parityRun struct {
	reference
	runtime   *ort.Runtime
	dir       string
	tolerance float64
	cosine    float64 // the least of a row of more than two values; 0 for any
	worst     float64
	where     string
}

func (p *parityRun) run(t *testing.T, file string, inputs map[string]ort.Tensor, outputs ...string) []ort.Tensor {
	t.Helper()
	return runGraph(t, p.runtime, filepath.Join(p.dir, file), inputs, outputs...)
}

// same fails the test if got differs from want by more than the tolerance.
func (p *parityRun) same(t *testing.T, what string, got ort.Tensor, want blip2test.Array) {
	t.Helper()
	if !slices.Equal(got.Shape(), want.Shape) {
		t.Errorf("%s: shape %v, want %v", what, got.Shape(), want.Shape)
		return
	}
	var worst float64
	for i, value := range want.Values(t) {
		difference := math.Abs(float64(got.Float32()[i] - value))
		if !(difference <= worst) { // also for NaN
			worst = difference
		}
	}
	if !(worst <= p.tolerance) {
		t.Errorf("%s: worst absolute error %.3g exceeds %.0e", what, worst, p.tolerance)
	}
	t.Logf("%s: worst absolute error %.2g", what, worst)
	if width := int(want.Shape[len(want.Shape)-1]); p.cosine > 0 && width > 2 {
		_, least := rowCosines(got.Float32(), want.Values(t), width)
		t.Logf("%s: least cosine of a row %.6f", what, least)
		if !(least >= p.cosine) {
			t.Errorf("%s: the cosine of a row is %.6f, less than %g", what, least, p.cosine)
		}
	}
	if worst > p.worst {
		p.worst, p.where = worst, what
	}
}

func (p *parityRun) images(t *testing.T) ort.Tensor {
	tokens := p.run(t, manifest.VisionFile, map[string]ort.Tensor{manifest.PixelsName: p.pixels()})[0]
	p.same(t, "image tokens", tokens, p.ImageTokens)
	parts := p.run(t, manifest.ImagePartsFile, map[string]ort.Tensor{manifest.ImageTokensName: tokens})[0]
	p.same(t, "parts", parts, p.Parts)
	return tokens
}

func (p *parityRun) texts(t *testing.T) {
	ids, mask, longest := p.reference.texts()
	shape := []int64{int64(len(p.TextLengths)), int64(longest)}
	vectors := p.run(t, manifest.TextFile, map[string]ort.Tensor{
		manifest.TokenIDsName: ort.Int64Tensor(ids, shape...), manifest.AttentionMaskName: ort.Int64Tensor(mask, shape...)})[0]
	p.same(t, "text vectors", vectors, p.TextVectors)
	// A text alone and without padding gives the same vector.
	width := p.Config.ProjectionSize
	for i, length := range p.TextLengths {
		shape := []int64{1, int64(length)}
		alone := p.run(t, manifest.TextFile, map[string]ort.Tensor{
			manifest.TokenIDsName:      ort.Int64Tensor(ids[i*longest:i*longest+length], shape...),
			manifest.AttentionMaskName: ort.Int64Tensor(slices.Repeat([]int64{1}, length), shape...)})[0]
		want := vectors.Float32()[i*width : (i+1)*width]
		for j, value := range alone.Float32() {
			if math.Abs(float64(value-want[j])) > p.tolerance {
				t.Fatalf("text %d: unpadded vector differs: %v and %v", i, value, want[j])
			}
		}
	}
}

// states compares the Q-Former's last hidden states, which no graph of a model
// gives out, in a graph of their own.
func (p *parityRun) states(t *testing.T, tokens ort.Tensor) {
	dir := t.TempDir()
	const file = "states.onnx"
	states := func(config modelconfig.Config, store *quantize.Store) *onnx.Graph {
		q := newQueryFormer("states", config, store)
		tokens := q.imageTokens()
		pairs := q.Input("pair_tokens", onnx.Float32, tokens.Shape...)
		ids, mask := q.textInputs()
		q.Output("image_states", q.imageStates(tokens))
		q.Output("match_states", q.matchLayers(ids, mask, func(layer int, x onnx.Value) onnx.Value {
			return q.crossAttention(layer, x, q.crossMemory(layer, pairs))
		}))
		x := q.text(ids)
		bias := q.keyMask(mask, onnx.Dynamic(textSize), q.Size(ids, 1))
		for i := range config.QFormer.Layers {
			x = q.feedForward(i, q.selfAttention(i, x, bias), "")
		}
		kept := q.Cast(q.Unsqueeze(mask, 2), onnx.Float32)
		q.Output("text_states", q.Multiply(x, kept))
		return q.Graph
	}
	writeGraph(t, p.weights(t), dir, quantize.Plan{}, quantize.Graph{File: file,
		Build: func(weights *quantize.Store) *onnx.Graph { return states(p.Config, weights) }})
	pairs, pairIDs, pairMask := p.pairs(tokens)
	inputs := map[string]ort.Tensor{manifest.ImageTokensName: tokens, "pair_tokens": pairs, manifest.TokenIDsName: pairIDs, manifest.AttentionMaskName: pairMask}
	run := func(name string) ort.Tensor { return runGraph(t, p.runtime, filepath.Join(dir, file), inputs, name)[0] }
	p.same(t, "image states", run("image_states"), p.ImageStates)
	p.same(t, "match states", run("match_states"), p.MatchStates)
	texts := run("text_states")
	count := int64(len(p.TextLengths))
	shape := append([]int64{count}, texts.Shape()[1:]...)
	p.same(t, "text states", ort.Float32Tensor(texts.Float32()[:count*shape[1]*shape[2]], shape...), p.TextStates)
}

// pairs is every image with every text.
func (p *parityRun) pairs(tokens ort.Tensor) (pairTokens, pairIDs, pairMask ort.Tensor) {
	ids, mask, longest := p.reference.texts()
	rows, columns := p.Config.Vision.Tokens(), p.Config.Vision.HiddenSize
	texts := len(p.TextLengths)
	var allTokens []float32
	var allIDs, allMask []int64
	for i := range p.Images {
		for range texts {
			allTokens = append(allTokens, tokens.Float32()[i*rows*columns:(i+1)*rows*columns]...)
		}
		allIDs, allMask = append(allIDs, ids...), append(allMask, mask...)
	}
	count := int64(p.Images * texts)
	return ort.Float32Tensor(allTokens, count, int64(rows), int64(columns)),
		ort.Int64Tensor(allIDs, count, int64(longest)), ort.Int64Tensor(allMask, count, int64(longest))
}

func (p *parityRun) match(t *testing.T, tokens ort.Tensor) {
	pairs, ids, mask := p.pairs(tokens)
	logits := p.run(t, manifest.MatchFile, map[string]ort.Tensor{manifest.ImageTokensName: pairs, manifest.TokenIDsName: ids, manifest.AttentionMaskName: mask})[0]
	shape := []int64{int64(p.Images), int64(len(p.TextLengths)), 2}
	p.same(t, "match", ort.Float32Tensor(logits.Float32(), shape...), p.Match)

	// In two parts, every image against all texts at once.
	memory := openGraph(t, p.runtime, filepath.Join(p.dir, manifest.MatchImageFile))
	textIDs, textMask, longest := p.reference.texts()
	textShape := []int64{shape[1], int64(longest)}
	var all []float32
	size := len(tokens.Float32()) / p.Images
	for i := range p.Images {
		image := ort.Float32Tensor(tokens.Float32()[i*size:(i+1)*size], append([]int64{1}, tokens.Shape()[1:]...)...)
		values, err := memory.Run(t.Context(), image)
		if err != nil {
			t.Fatal(err)
		}
		inputs := map[string]ort.Tensor{manifest.TokenIDsName: ort.Int64Tensor(textIDs, textShape...), manifest.AttentionMaskName: ort.Int64Tensor(textMask, textShape...)}
		for j, output := range memory.Outputs() {
			inputs[output.Name] = values[j]
		}
		all = append(all, p.run(t, manifest.MatchTextFile, inputs)[0].Float32()...)
	}
	p.same(t, "match in two parts", ort.Float32Tensor(all, shape...), p.Match)
}

func (p *parityRun) captions(t *testing.T, tokens ort.Tensor) {
	start := openGraph(t, p.runtime, filepath.Join(p.dir, manifest.CaptionStartFile))
	memory, err := start.Run(t.Context(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	step := newStepper(t, p.runtime, filepath.Join(p.dir, manifest.CaptionStepFile), start.Outputs())
	taught := slices.Repeat(p.TaughtIDs, p.Images)
	logits, _ := step.next(t, memory, taught, p.Images, 0)
	p.same(t, "taught logits", logits, p.TaughtLogits)

	// Token by token, each from the logits of the one before.
	vocabulary := p.Config.QFormer.VocabularySize
	captions := make([][]int64, p.Images)
	for i := range captions {
		captions[i] = []int64{int64(vocabulary - 1)}
	}
	for position := range len(p.Captions[0]) - 1 {
		ids := make([]int64, p.Images)
		for i := range ids {
			ids[i] = captions[i][position]
		}
		logits, memory = step.next(t, memory, ids, p.Images, position)
		for i := range captions {
			row := logits.Float32()[i*vocabulary : (i+1)*vocabulary]
			captions[i] = append(captions[i], int64(slices.Index(row, slices.Max(row))))
		}
	}
	if fmt.Sprint(captions) != fmt.Sprint(p.Captions) {
		t.Errorf("greedy captions are %v, want %v", captions, p.Captions)
	}
}

// stepper runs the caption step graph.
type stepper struct {
	session *ort.Session
	layers  int
}

// newStepper opens the step graph; memory describes the outputs of the start
// graph, in whose order keys and values are given and taken.
func newStepper(t *testing.T, runtime *ort.Runtime, path string, memory []ort.Value) stepper {
	t.Helper()
	inputs, outputs := orttest.Inspect(t, path)
	find := func(values []ort.Value, name string) ort.Value {
		at := slices.IndexFunc(values, func(value ort.Value) bool { return value.Name == name })
		if at < 0 {
			t.Fatalf("%s has no %s", path, name)
		}
		return values[at]
	}
	options := ort.SessionOptions{Path: path, Threads: 1,
		Inputs:  []ort.Value{find(inputs, manifest.TokenIDsName), find(inputs, manifest.PositionName)},
		Outputs: []ort.Value{find(outputs, manifest.LogitsName)}}
	for i := range len(memory) / 2 {
		options.Inputs = append(options.Inputs, find(inputs, fmt.Sprint(manifest.PastKeyPrefix, i)), find(inputs, fmt.Sprint(manifest.PastValuePrefix, i)))
		options.Outputs = append(options.Outputs, find(outputs, fmt.Sprint(manifest.PresentKeyPrefix, i)), find(outputs, fmt.Sprint(manifest.PresentValuePrefix, i)))
	}
	session, err := runtime.Session(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return stepper{session, len(memory) / 2}
}

// next runs ids [batch, any] from the given position on.
func (s stepper) next(t *testing.T, memory []ort.Tensor, ids []int64, batch, position int) (ort.Tensor, []ort.Tensor) {
	t.Helper()
	count := len(ids) / batch
	positions := make([]int64, count)
	for i := range positions {
		positions[i] = int64(position + i)
	}
	inputs := append([]ort.Tensor{ort.Int64Tensor(ids, int64(batch), int64(count)), ort.Int64Tensor(positions, int64(count))}, memory...)
	outputs, err := s.session.Run(t.Context(), inputs...)
	if err != nil {
		t.Fatal(err)
	}
	return outputs[0], outputs[1:]
}
