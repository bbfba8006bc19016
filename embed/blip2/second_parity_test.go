package blip2

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/decode"
	"mekiki/embed/language"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/quantize"
)

// secondStage runs the graphs of a compiled second stage, one image and one prompt at a time.
type secondStage struct {
	config     modelconfig.Config
	dir        string
	runtime    *ort.Runtime
	sessions   map[string]*ort.Session
	embeddings *manifest.Embeddings
	buffers    map[string]ort.Tensor // by the names of past and present
	encoded    map[string]ort.Tensor
	length     int
}

// openSecond opens a compiled second stage.
func openSecond(t testing.TB, runtime *ort.Runtime, dir string) *secondStage {
	t.Helper()
	model, err := manifest.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &secondStage{config: model.Config, dir: dir, runtime: runtime, sessions: map[string]*ort.Session{}}
	for _, graph := range Family().Describe(model).Graphs {
		options := ort.SessionOptions{Path: filepath.Join(dir, graph.File), Inputs: graph.Inputs, Outputs: graph.Outputs, Threads: 2}
		if s.sessions[graph.File], err = runtime.Session(t.Context(), options); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.sessions[graph.File].Close() })
	}
	table, err := os.ReadFile(filepath.Join(dir, manifest.EmbeddingsFile))
	if err != nil {
		t.Fatal(err)
	}
	if s.embeddings, err = manifest.NewEmbeddings(*model.Config.Language, bytes.NewReader(table), int64(len(table))); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a graph on inputs by name.
func (s *secondStage) run(t testing.TB, file string, inputs map[string]ort.Tensor) map[string]ort.Tensor {
	t.Helper()
	return orttest.Run(t, s.sessions[file], inputs, s.buffers)
}

// embed is the embeddings of tokens [T W].
func (s *secondStage) embed(t testing.TB, ids ...int64) []float32 {
	t.Helper()
	rows, err := s.embeddings.Append(nil, ids...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// begin forgets what was read.
func (s *secondStage) begin(capacity int) {
	s.buffers, s.encoded, s.length = map[string]ort.Tensor{}, map[string]ort.Tensor{}, 0
	sizes := s.config.Language
	for i := range language.StepLayers(*sizes) {
		for _, names := range [][2]string{{manifest.PastKeyPrefix, manifest.PresentKeyPrefix}, {manifest.PastValuePrefix, manifest.PresentValuePrefix}} {
			values := make([]float32, sizes.KeyValueHeads*capacity*sizes.HeadWidth)
			tensor := ort.Float32Tensor(values, 1, int64(sizes.KeyValueHeads), int64(capacity), int64(sizes.HeadWidth))
			s.buffers[fmt.Sprint(names[0], i)], s.buffers[fmt.Sprint(names[1], i)] = tensor, tensor
		}
	}
}

// read takes the embeddings of image and prompt [S W] in, and returns those that the first step reads.
func (s *secondStage) read(t testing.TB, prompt []float32) []float32 {
	t.Helper()
	sizes := *s.config.Language
	if !language.HasEncoder(sizes) {
		return prompt
	}
	length := int64(len(prompt) / sizes.HiddenSize)
	s.encoded = s.run(t, manifest.LanguageEncodeFile, map[string]ort.Tensor{
		manifest.EmbeddingsName: ort.Float32Tensor(prompt, 1, length, int64(sizes.HiddenSize)),
		manifest.BucketsName:    ort.Int64Tensor(language.EncoderBuckets(sizes, int(length)), length, length),
	})
	return s.embed(t, sizes.Start)
}

// next goes on with embeddings [T W] and returns the logits of the last.
func (s *secondStage) next(t testing.TB, embeddings []float32) []float32 {
	t.Helper()
	sizes := *s.config.Language
	length := len(embeddings) / sizes.HiddenSize
	before := s.length
	s.length += length
	inputs := map[string]ort.Tensor{
		manifest.EmbeddingsName:   ort.Float32Tensor(embeddings, 1, int64(length), int64(sizes.HiddenSize)),
		manifest.LastPositionName: ort.Int32Tensor([]int32{int32(s.length - 1)}, 1),
		manifest.TotalLengthName:  ort.Int32Tensor([]int32{int32(s.length)}, 1),
	}
	if language.HasEncoder(sizes) {
		inputs[manifest.BucketsName] = ort.Int64Tensor(language.DecoderBuckets(sizes, before, length), int64(length), int64(s.length))
	}
	for _, given := range []map[string]ort.Tensor{s.buffers, s.encoded} {
		for name, tensor := range given {
			inputs[name] = tensor
		}
	}
	return s.run(t, manifest.LanguageStepFile, inputs)[manifest.LogitsName].Float32()
}

// image is what an image and an instruction become in the language model's embeddings, with what comes before.
func (s *secondStage) image(t testing.TB, pixels []float32, instruction []int64) (tokens, states, projected ort.Tensor) {
	t.Helper()
	side := int64(s.config.Vision.ImageSize)
	tokens = s.run(t, manifest.VisionFile, map[string]ort.Tensor{manifest.PixelsName: ort.Float32Tensor(pixels, 1, 3, side, side)})[manifest.ImageTokensName]
	inputs := map[string]ort.Tensor{manifest.ImageTokensName: tokens}
	if s.config.Language.Instructed {
		ids, mask := textTensors(instruction)
		inputs[manifest.TokenIDsName], inputs[manifest.AttentionMaskName] = ids, mask
	}
	states = s.run(t, manifest.ImageStatesFile, inputs)[manifest.ImageStatesName]
	projected = s.run(t, manifest.LanguageInputFile, map[string]ort.Tensor{manifest.ImageStatesName: states})[manifest.EmbeddingsName]
	return tokens, states, projected
}

// TestSecondStageParity compiles random second stages in float32 and compares image states, the logits of every position of
// prompts and taught texts, read at once and one by one, and texts written greedily, with the reference.
func TestSecondStageParity(t *testing.T) {
	runtime := orttest.Open(t)
	for _, r := range blip2test.ReadLanguageReferences(t, "testdata/language") {
		t.Run(r.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "model")
			source := tinySecond{r.Weights(t), r.Config, map[string]string{"tokenizer.json": "{}"}}
			if _, err := Compile(t.Context(), source, dir, CompileOptions{Precision: manifest.Float32}); err != nil {
				t.Fatal(err)
			}
			p := &secondParity{parityRun{tolerance: parityTolerance}, openSecond(t, runtime, dir), r}
			for i := range r.Cases {
				p.compare(t, i)
			}
			t.Logf("worst absolute error %.2g (%s)", p.worst, p.where)
		})
	}
}

// secondParity is the comparison of one model.
type secondParity struct {
	parityRun
	*secondStage
	blip2test.LanguageReference
}

// close fails the test if got differs from want.
func (p *secondParity) close(t *testing.T, what string, got []float32, want blip2test.Array) {
	t.Helper()
	if len(want.Shape) > 0 {
		p.same(t, what, ort.Float32Tensor(got, want.Shape...), want)
	}
}

func (p *secondParity) compare(t *testing.T, i int) {
	one, sizes := p.Cases[i], *p.secondStage.config.Language
	size := len(p.Pixels()) / p.Images
	pixels := p.Pixels()[one.Image*size : (one.Image+1)*size]
	tokens, states, projected := p.image(t, pixels, one.InstructionIDs)
	p.close(t, "image tokens", tokens.Float32(), one.ImageTokens)
	p.close(t, "image states", states.Float32(), one.States)
	p.close(t, "projected states", projected.Float32(), one.Projected)
	prompt := slices.Concat(projected.Float32(), p.embed(t, one.PromptIDs...))

	const capacity = 90
	p.begin(capacity)
	taught := append(p.read(t, prompt), p.embed(t, one.TaughtIDs...)...)
	width, words := sizes.HiddenSize, sizes.VocabularySize
	var logits []float32
	for position := range len(taught) / width {
		logits = append(logits, p.next(t, taught[position*width:(position+1)*width])...)
	}
	p.close(t, "logits one by one", logits, one.Logits)
	p.begin(capacity)
	p.read(t, prompt)
	last := one.Logits.Values(t)[len(logits)-words:]
	if got := p.next(t, taught); !closeTo(got, last, float32(p.tolerance)) {
		t.Errorf("case %d: logits of a text read at once are %v, want %v", i, got, last)
	}
	for _, generation := range one.Generated {
		if p.tolerance > parityTolerance {
			break // a greedy choice may be less ahead of the next than that
		}
		if generation.Options.Method == decode.Greedy && generation.Options.MinimumTokens == 0 && generation.Options.RepetitionPenalty == 0 && generation.Options.NoRepeat == 0 {
			p.begin(capacity)
			if got := p.write(t, p.read(t, prompt), len(generation.IDs[0])); !slices.Equal(got, generation.IDs[0]) {
				t.Errorf("case %d: %v is written, want %v", i, got, generation.IDs[0])
			}
		}
	}
}

// write goes on with the likeliest word until the end or the limit.
func (s *secondStage) write(t testing.TB, embeddings []float32, limit int) []int64 {
	t.Helper()
	var written []int64
	for range limit {
		logits := s.next(t, embeddings)[:s.config.Language.Words]
		written = append(written, int64(slices.Index(logits, slices.Max(logits))))
		embeddings = s.embed(t, written[len(written)-1])
	}
	return written
}

func closeTo(got, want []float32, tolerance float32) bool {
	return slices.EqualFunc(got, want, func(a, b float32) bool { return a-b <= tolerance && b-a <= tolerance })
}

// TestSecondStageQuantized compiles the random second stages in int4 and int8 and wants them to write nearly what float32
// writes; of a model whose vision encoder is another's it wants the same language model.
func TestSecondStageQuantized(t *testing.T) {
	runtime := orttest.Open(t)
	for _, r := range blip2test.ReadLanguageReferences(t, "testdata/language") {
		for _, precision := range []manifest.Precision{manifest.Int4, manifest.Int8} {
			t.Run(fmt.Sprintf("%s %s", r.Name, precision), func(t *testing.T) {
				if precision == manifest.Int8 && r.Name != "t5" || testing.Short() && r.Name != "opt" {
					t.Skip("one is enough")
				}
				dir := filepath.Join(t.TempDir(), "model")
				source := tinySecond{r.Weights(t), r.Config, map[string]string{"tokenizer.json": "{}"}}
				model, err := Compile(t.Context(), source, dir, CompileOptions{Precision: precision, Runtime: runtime, Threads: 1})
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%+v, language model %+v", *model.SelfCheck, *model.SelfCheck.Language)
				if !model.SelfCheck.Good() || !model.SelfCheck.Language.Good() || model.SelfCheck.Language.Positions == 0 {
					t.Error("it loses too much")
				}
				methods := map[string]int{}
				for _, choice := range model.Quantization {
					methods[choice.Method]++
				}
				t.Log(methods)
				if (methods[string(quantize.PerBlock4)] > 0) != (precision == manifest.Int4) {
					t.Errorf("methods are %v", methods)
				}
				p := &secondParity{parityRun{tolerance: parityTolerance}, openSecond(t, runtime, dir), r}
				p.compareQuantized(t)
				if r.Name == "opt" {
					compileShared(t, source, runtime, model)
				}
			})
		}
	}
}

// compileShared compiles a model again without its vision encoder, and wants all else to be the same.
func compileShared(t *testing.T, source Source, runtime *ort.Runtime, whole manifest.Manifest) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	model, err := Compile(t.Context(), source, dir, CompileOptions{Precision: whole.Precision, Runtime: runtime, Threads: 1, SharedVision: true})
	if err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(slices.Clone(whole.Files), func(file manifest.File) bool { return strings.HasPrefix(file.Name, "vision.") })
	if !slices.Equal(model.Files, want) || model.Vision != whole.Vision || len(want) != len(whole.Files)-2 {
		t.Errorf("files are %v, want %v", model.Files, want)
	}
	if err := model.CheckFolder(dir); err != nil {
		t.Error(err)
	}
}

// compareQuantized compares the distributions before the taught tokens.
func (p *secondParity) compareQuantized(t *testing.T) {
	size := len(p.Pixels()) / p.Images
	words := p.config.Language.VocabularySize
	var divergence float64
	count := 0
	for _, one := range p.Cases {
		_, _, projected := p.image(t, p.Pixels()[one.Image*size:(one.Image+1)*size], one.InstructionIDs)
		p.begin(90)
		embeddings := p.read(t, slices.Concat(projected.Float32(), p.embed(t, one.PromptIDs...)))
		want := one.Logits.Values(t)
		for i, id := range append(slices.Clone(one.TaughtIDs), 0) {
			at := len(want) - (len(one.TaughtIDs)+1-i)*words
			divergence += quantize.Divergence(want[at:at+words], p.next(t, embeddings))
			embeddings = p.embed(t, id)
			count++
		}
	}
	t.Logf("the distributions of %d tokens diverge by %.4f", count, divergence/float64(count))
	if !(divergence/float64(count) < 0.2) {
		t.Errorf("the distributions of %d tokens diverge by %.4f", count, divergence/float64(count))
	}
}
