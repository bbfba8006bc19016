//go:build linux

package language

import (
	"bufio"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"mekiki/embed/checkpoint"
	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/quantize"
	"mekiki/internal/usage"
)

// The language models of published second stages.
var published = map[string]modelconfig.Language{
	"flan-t5-xl": {Architecture: modelconfig.T5, HiddenSize: 2048, Layers: 24, DecoderLayers: 24, Heads: 32, KeyValueHeads: 32,
		HeadWidth: 64, IntermediateSize: 5120, VocabularySize: 32128, Words: 32100, Activation: "gelu", Gated: true, NormEpsilon: 1e-6,
		RelativeBuckets: 32, RelativeDistance: 128, End: []int64{1}},
	"opt-2.7b": {Architecture: modelconfig.OPT, HiddenSize: 2560, Layers: 32, Heads: 32, KeyValueHeads: 32, HeadWidth: 80,
		IntermediateSize: 10240, VocabularySize: 50304, Words: 50265, Positions: 2048, Activation: "relu", NormEpsilon: 1e-5, Tied: true,
		End: []int64{50118}},
	"smollm2-135m": {Architecture: modelconfig.Llama, HiddenSize: 576, Layers: 30, Heads: 9, KeyValueHeads: 3, HeadWidth: 64,
		IntermediateSize: 1536, VocabularySize: 49152, Words: 49152, Positions: 8192, Activation: "silu", Gated: true, NormEpsilon: 1e-5,
		RotaryTheta: 100000, Tied: true, End: []int64{2}},
}

// fullSizeVariable names the models to measure, separated by commas, each with its precision, such as "flan-t5-xl int4". With
// "untried" after it only the step graph is written, without trials: the time of a token is the same. With "unfused" the
// runtime's own operators multiply.
const fullSizeVariable = "MEKIKI_FULL_SIZE_LANGUAGE"

// drawn is random weights that are distributed normally, about, and make states and logits of the size that trained ones
// make. Other than checkpoint.Random's they take no more memory than the tensor.
type drawn struct {
	config modelconfig.Language
	shapes map[string][]int
}

func (d drawn) Has(name string) bool { return d.shapes[name] != nil }

func (d drawn) Shape(name string) ([]int, bool) {
	shape, ok := d.shapes[name]
	return shape, ok
}

func (d drawn) Float32(_ context.Context, name string) ([]float32, error) {
	shape := d.shapes[name]
	count := 1
	for _, size := range shape {
		count *= size
	}
	offset, scale := 0.0, 1/math.Sqrt(float64(shape[len(shape)-1]))
	switch {
	case strings.HasSuffix(name, ".bias"):
		scale = 0.02
	case strings.Contains(name, "norm"):
		offset, scale = 1, 0.1
	case strings.HasSuffix(name, "SelfAttention.q.weight"), strings.HasSuffix(name, "EncDecAttention.q.weight"):
		scale /= math.Sqrt(float64(d.config.HeadWidth))
	case name == tensors.LanguageEmbedding(d.config) && d.config.Tied:
		scale = 0.03
	case name == tensors.LanguageEmbedding(d.config):
		scale = 1
	}
	hash := fnv.New64a()
	hash.Write([]byte(name))
	state, values := hash.Sum64(), make([]float32, count)
	const field, middle = 1<<21 - 1, 3 * (1 << 20)
	for i := range values {
		state += 0x9E3779B97F4A7C15
		z := (state ^ state>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		sum := int64(z&field) + int64(z>>21&field) + int64(z>>42&field) - middle // of three, with the variance of 2^40
		values[i] = float32(offset + scale*float64(sum)/(1<<20))
	}
	return values, nil
}

// TestFullSize writes a language model of published size and random weights, and logs how long that, a prompt and a token
// take, and how much memory. It needs up to 12 GB of disk and several minutes.
func TestFullSize(t *testing.T) {
	wanted := os.Getenv(fullSizeVariable)
	if wanted == "" {
		t.Skipf("%s is not set", fullSizeVariable)
	}
	runtime := orttest.Open(t)
	for _, one := range strings.Split(wanted, ",") {
		words := strings.Fields(one)
		if len(words) < 2 {
			t.Fatalf("%q names no precision", one)
		}
		config, ok := published[words[0]]
		if !ok {
			t.Fatalf("no model %q", words[0])
		}
		t.Run(one, func(t *testing.T) {
			whole := modelconfig.PublishedConfig(224)
			whole.Language = &config
			weights := drawn{config, tensors.Shapes(whole, false)}
			dir, written := fullSizeFolder(t, words)
			if written {
				t.Logf("as it lies in %s", dir)
			} else if slices.Contains(words, "untried") {
				writeUntried(t, dir, weights, manifest.Precision(words[1]))
			} else {
				writeFullSize(t, runtime, dir, weights, manifest.Precision(words[1]))
			}
			debug.FreeOSMemory()
			measureFullSize(t, runtime, dir, config, slices.Contains(words, "unfused"))
			if !slices.Contains(words, "untried") {
				measureTexts(t, runtime, dir, whole, weights, slices.Contains(words, "unfused"))
			}
		})
	}
}

// fullSizeFolder is where a model is written, and whether it is there from an earlier run: one in the folder that a variable
// names stays.
func fullSizeFolder(t *testing.T, words []string) (dir string, written bool) {
	parent := os.Getenv("MEKIKI_FULL_SIZE_FOLDER")
	if parent == "" {
		return t.TempDir(), false
	}
	words = slices.DeleteFunc(slices.Clone(words), func(word string) bool { return word == "unfused" })
	dir = filepath.Join(parent, strings.Join(words, "_"))
	if _, err := os.Stat(filepath.Join(dir, manifest.LanguageStepFile)); err == nil {
		return dir, true
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, false
}

func writeFullSize(t *testing.T, runtime *ort.Runtime, dir string, weights drawn, precision manifest.Precision) {
	table, err := os.Create(filepath.Join(dir, manifest.EmbeddingsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	start, used := time.Now(), usage.ProcessorTime()
	if err := WriteEmbeddings(t.Context(), weights.config, weights, bufio.NewWriter(table)); err != nil {
		t.Fatal(err)
	}
	if precision == manifest.Float32 {
		for i, graph := range Graphs(weights.config) {
			data, err := onnx.CreateDataFile(dir, []string{StepData, EncodeData}[min(1, len(Graphs(weights.config))-1-i)])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := quantize.WriteGraphs(t.Context(), dir, quantize.NewStore(t.Context(), weights, data, quantize.Plan{}), []quantize.Graph{graph}); err != nil {
				t.Fatal(err)
			}
		}
	} else {
		quantizeFullSize(t, runtime, dir, weights, precision == manifest.Int4)
	}
	t.Logf("written in %.0f s, %.0f s of processor time, with at most %d MiB", time.Since(start).Seconds(), (usage.ProcessorTime() - used).Seconds(), usage.PeakMemory()>>20)
}

// writeUntried writes the step graph with one method for all products but the head.
func writeUntried(t *testing.T, dir string, weights drawn, precision manifest.Precision) {
	methods := map[manifest.Precision][2]quantize.Method{manifest.Float32: {quantize.Float32, quantize.Float32},
		manifest.Int8: {quantize.PerBlock, quantize.PerBlock}, manifest.Int4: {quantize.PerBlock4, quantize.PerBlock}}[precision]
	plan := quantize.NewPlan(methods[0])
	all, err := newModel("", weights.config, nil).newStack()
	if err != nil {
		t.Fatal(err)
	}
	plan.Choose(all.headTensor(), methods[1])
	data, err := onnx.CreateDataFile(dir, StepData)
	if err != nil {
		t.Fatal(err)
	}
	graphs := Graphs(weights.config)
	if _, err := quantize.WriteGraphs(t.Context(), dir, quantize.NewStore(t.Context(), weights, data, plan), graphs[len(graphs)-1:]); err != nil {
		t.Fatal(err)
	}
}

func quantizeFullSize(t *testing.T, runtime *ort.Runtime, dir string, weights drawn, four bool) {
	width := weights.config.HiddenSize
	info, err := os.Stat(filepath.Join(dir, manifest.EmbeddingsFile))
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.Open(filepath.Join(dir, manifest.EmbeddingsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	embeddings, err := manifest.NewEmbeddings(weights.config, table, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	var samples []Sample
	for i := range 6 {
		sample := Sample{Image: checkpoint.RandomValues("image", uint64(i), 32*width)}
		for _, bits := range checkpoint.RandomBits("text", uint64(i), 12) {
			sample.Text = append(sample.Text, int64(bits%uint64(weights.config.Words)))
		}
		samples = append(samples, sample)
	}
	chains, states, judged, err := Chains(weights.config, samples, embeddings)
	if err != nil {
		t.Fatal(err)
	}
	result, err := quantize.WriteLanguage(t.Context(), quantize.LanguageModel{Weights: weights, Chains: chains, Samples: states, Judged: judged, Four: four},
		dir, quantize.Options{Runtime: runtime, Threads: 2, Step: func(string) {}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	methods := map[string]int{}
	for _, choice := range result.Choices {
		methods[choice.Method]++
	}
	t.Logf("%+v, %v", *result.Check.Language, methods)
}

// measureFullSize logs the least times of a prompt of 44 positions and of the tokens after it, and what reading their
// weights alone would take.
func measureFullSize(t *testing.T, runtime *ort.Runtime, dir string, config modelconfig.Language, unfused bool) {
	const prompt, tokens, rounds = 44, 12, 3
	bandwidth := least{}
	info, err := os.Stat(filepath.Join(dir, StepData))
	if err != nil {
		t.Fatal(err)
	}
	signatures := map[string]manifest.Signature{}
	for _, signature := range Signatures(config) {
		signatures[signature.File] = signature
	}
	open := func(file string) *ort.Session {
		start := time.Now()
		session, err := runtime.Session(t.Context(), ort.SessionOptions{Path: filepath.Join(dir, file), Inputs: signatures[file].Inputs,
			Outputs: signatures[file].Outputs, Threads: 2, Spin: true, Arena: true, NoFusion: unfused, Profile: os.Getenv("MEKIKI_PROFILE")})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s opened in %.1f s", file, time.Since(start).Seconds())
		return session
	}
	x := &text{config: config, rows: 1}
	read := least{}
	embeddings := checkpoint.RandomValues("prompt", 1, prompt*config.HiddenSize)
	if _, err := os.Stat(filepath.Join(dir, manifest.LanguageEncodeFile)); err == nil {
		x.encode = open(manifest.LanguageEncodeFile)
		for range rounds {
			read.time(func() { x.read(t, embeddings) })
		}
		x.encode.Close()
	} else if HasEncoder(config) {
		x.encoded = map[string]ort.Tensor{}
		for i := range config.DecoderLayers {
			said := ort.Float32Tensor(checkpoint.RandomValues("said", 1, prompt*config.Heads*config.HeadWidth), 1, int64(config.Heads), prompt, int64(config.HeadWidth))
			x.encoded[fmt.Sprint(manifest.EncodedKeyPrefix, i)], x.encoded[fmt.Sprint(manifest.EncodedValuePrefix, i)] = said, said
		}
	}
	if HasEncoder(config) {
		embeddings = embeddings[:config.HiddenSize]
	}
	x.step = open(manifest.LanguageStepFile)
	defer x.step.Close()
	next := least{}
	for range rounds {
		memoryBandwidth(t, &bandwidth)
		debug.FreeOSMemory()
		x.begin(1)
		given := embeddings
		for i := range tokens {
			timer := &next
			if i == 0 && !HasEncoder(config) {
				timer = &read
			}
			timer.time(func() { x.next(t, given, int32(x.length+len(given)/config.HiddenSize-1)) })
			given = embeddings[:config.HiddenSize]
		}
	}
	if read.wall > 0 {
		t.Logf("a prompt of %d positions: %v", prompt, read)
	}
	t.Logf("a token: %v, so %.1f a second; it reads %d MB", next, 1/next.wall.Seconds(), info.Size()/1e6)
	for _, time := range []struct {
		of           string
		reads, token time.Duration
	}{{"time", bandwidth.wall, next.wall}, {"processor time of two threads", bandwidth.used / 2, next.used / 2}} {
		rate := bandwidthBytes / time.reads.Seconds()
		bound := rate / float64(info.Size())
		t.Logf("by %s, memory gives %.1f GB/s to two threads: at most %.1f tokens a second, of which this is %.0f %%",
			time.of, rate/1e9, bound, 100/time.token.Seconds()/bound)
	}
	t.Logf("at most %d MiB of memory", usage.PeakMemory()>>20)
}

// measureTexts logs how long a caption of ten tokens and an answer of two tokens to a question of twelve take, from what the
// Q-Former gives of an image: projection, embeddings, encoder, decoder, head, and the choice of each token.
func measureTexts(t *testing.T, runtime *ort.Runtime, dir string, config modelconfig.Config, weights drawn, unfused bool) {
	data, err := onnx.CreateDataFile(dir, "input.bin")
	if err != nil {
		t.Fatal(err)
	}
	input := quantize.Graph{File: manifest.LanguageInputFile, Build: func(store *quantize.Store) *onnx.Graph { return InputGraph(config, store) }}
	if _, err := quantize.WriteGraphs(t.Context(), dir, quantize.NewStore(t.Context(), weights, data, quantize.Plan{}), []quantize.Graph{input}); err != nil {
		t.Fatal(err)
	}
	table, file, err := manifest.OpenEmbeddings(*config.Language, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	open := func(file string) *ort.Session {
		path := filepath.Join(dir, file)
		inputs, outputs := orttest.Inspect(t, path)
		session, err := runtime.Session(t.Context(), ort.SessionOptions{Path: path, Inputs: inputs, Outputs: outputs, Threads: 2, Spin: true, Arena: true, NoFusion: unfused})
		if err != nil {
			t.Fatal(err)
		}
		return session
	}
	x := &text{config: *config.Language, step: open(manifest.LanguageStepFile)}
	defer x.step.Close()
	if HasEncoder(x.config) {
		x.encode = open(manifest.LanguageEncodeFile)
		defer x.encode.Close()
	}
	project := open(manifest.LanguageInputFile)
	defer project.Close()
	states := ort.Float32Tensor(checkpoint.RandomValues("states", 1, config.QueryTokens*config.QFormer.HiddenSize), 1, int64(config.QueryTokens), int64(config.QFormer.HiddenSize))
	for _, one := range []struct {
		name                string
		prompt, tokens, row int
	}{{"a caption of ten tokens", 4, 10, 1}, {"a caption of ten tokens by five beams", 4, 10, 5}, {"an answer of two tokens to twelve", 12, 2, 1}} {
		times := least{}
		for range 5 {
			times.time(func() {
				outputs, err := project.Run(t.Context(), states)
				if err != nil {
					t.Fatal(err)
				}
				x.write(t, table, outputs[0].Float32(), one.prompt, one.tokens, one.row)
			})
		}
		t.Logf("%s: %v", one.name, times)
	}
}

// write reads an image's vectors and a prompt and goes on with so many tokens, in rows side by side.
func (x *text) write(t *testing.T, table *manifest.Embeddings, image []float32, prompt, tokens, rows int) {
	embeddings, err := table.Append(slices.Clone(image), slices.Repeat([]int64{100}, prompt)...)
	if err != nil {
		t.Fatal(err)
	}
	if x.encode != nil {
		x.read(t, embeddings)
		if embeddings, err = table.Append(nil, x.config.Start); err != nil {
			t.Fatal(err)
		}
	}
	x.begin(rows)
	embeddings = slices.Repeat(embeddings, rows)
	for range tokens {
		length := len(embeddings) / x.config.HiddenSize / rows
		logits := x.next(t, embeddings, slices.Repeat([]int32{int32(x.length + length - 1)}, rows)...)
		embeddings = embeddings[:0]
		for row := range slices.Chunk(logits, x.config.VocabularySize) {
			words := row[:x.config.Words]
			if embeddings, err = table.Append(embeddings, int64(slices.Index(words, slices.Max(words)))); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// least is the least times of several runs.
type least struct{ wall, used time.Duration }

func (l *least) time(run func()) {
	start, before := time.Now(), usage.ProcessorTime()
	run()
	wall, used := time.Since(start), usage.ProcessorTime()-before
	if l.wall == 0 || wall < l.wall {
		l.wall = wall
	}
	if l.used == 0 || used < l.used {
		l.used = used
	}
}

func (l least) String() string {
	return fmt.Sprintf("%.1f ms, %.1f ms of processor time", 1000*l.wall.Seconds(), 1000*l.used.Seconds())
}

// bandwidthBytes is what memoryBandwidth reads.
const bandwidthBytes = 1 << 30

// memoryBandwidth adds to the least time that two threads take to read bandwidthBytes.
func memoryBandwidth(t *testing.T, times *least) {
	const rounds = 4
	memory, err := unix.Mmap(-1, 0, bandwidthBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(memory)
	_ = unix.Madvise(memory, unix.MADV_HUGEPAGE) // which are read faster, as weights are
	values := unsafe.Slice((*uint64)(unsafe.Pointer(&memory[0])), bandwidthBytes/8)
	for i := range values {
		values[i] = uint64(i)
	}
	for range rounds {
		times.time(func() {
			var group sync.WaitGroup
			for half := range slices.Chunk(values, len(values)/2) {
				group.Go(func() {
					var a, b, c, d uint64
					for i := 0; i+8 <= len(half); i += 8 { // half of the words of each line, which comes whole
						a, b, c, d = a+half[i], b^half[i+2], c+half[i+4], d^half[i+6]
					}
					sink(a + b + c + d)
				})
			}
			group.Wait()
		})
	}
}

//go:noinline
func sink(uint64) {}
