package blip2

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/pixels"
	"mekiki/embed/quantize"
	"mekiki/internal/usage"
)

// plantedKinds are the outliers that a planted checkpoint can have, of which trained transformers show most.
var plantedKinds = []string{
	"none",
	"comp",      // large channels after vision's norms, undone by the weights that read them
	"token",     // the class token and one patch carry large channels
	"massdown",  // large channels in every token of the later layers, which the norms' gains hold down
	"massive",   // the same, not held down
	"mlphidden", // large hidden neurons in vision's feed-forward blocks
	"gain",      // large channels after vision's norms, undone by nothing
	"qformer",   // large channels after the Q-Former's norms and vision's last, undone by nothing
	plantedTexts,
}

// plantedTexts is texts' states so large that attention to them is sharp and repeats what quantising the Q-Former loses many
// times over; images' states are as they were.
const plantedTexts = "texts"

// plantedChannels is how many features, or hidden neurons, are outliers.
const plantedChannels = 4

// planted is a checkpoint of random weights with outliers of one kind.
type planted struct {
	*checkpoint.Random
	kind string
}

func (p planted) Float32(ctx context.Context, name string) ([]float32, error) {
	values, err := p.Random.Float32(ctx, name)
	if err != nil {
		return nil, err
	}
	vision := strings.HasPrefix(name, "vision_model.")
	layerNorm := strings.Contains(name, ".layer_norm") && strings.HasSuffix(name, ".weight")
	switch p.kind {
	case "comp":
		if layerNorm || strings.Contains(name, ".layer_norm") {
			p.scale(values, 100, len(values))
		}
		if strings.HasSuffix(name, "qkv.weight") || strings.HasSuffix(name, "fc1.weight") {
			p.scale(values, 0.01, p.Config().Vision.HiddenSize)
		}
	case "gain":
		if layerNorm {
			p.scale(values, 60, len(values))
		}
	case "token":
		if strings.HasSuffix(name, ".position_embedding") {
			width := p.Config().Vision.HiddenSize
			values[3], values[width/2] = 150, -300
			row := p.Config().Vision.Tokens() / 2 * width
			values[row+3], values[row+width/2] = -200, 250
		}
	case "massdown", "massive":
		p.plantMassive(name, values, layerNorm)
	case "mlphidden":
		if strings.Contains(name, "mlp.fc1.") {
			size := len(values) / p.Config().Vision.IntermediateSize
			for i := range plantedChannels {
				neuron := 11 + 17*i
				for j := range values[neuron*size : (neuron+1)*size] {
					values[neuron*size+j] *= 100
				}
			}
		}
	case plantedTexts:
		if strings.HasPrefix(name, "qformer.encoder.") && strings.Contains(name, ".output.LayerNorm.") && !strings.Contains(name, "attention") {
			for i := range values {
				values[i] *= 8
			}
		}
	case "qformer":
		norm := !vision && strings.Contains(strings.ToLower(name), "layernorm") && strings.HasSuffix(name, ".weight")
		if norm || name == "vision_model.post_layernorm.weight" {
			p.scale(values, 50, len(values))
		}
	}
	return values, nil
}

// channel is the i-th outlying feature of rows of this width.
func (p planted) channel(i, width int) int { return (3 + i*width/plantedChannels) % width }

// scale multiplies the outlying features of rows of this width.
func (p planted) scale(values []float32, factor float32, width int) {
	for start := 0; start < len(values); start += width {
		for i := range plantedChannels {
			grown := factor
			if factor == 50 {
				grown += 10 * float32(i) // 50 to 80
			}
			values[start+p.channel(i, width)] *= grown
		}
	}
}

// plantMassive adds to every token in a layer near the middle, and lets the gains of later norms hold that down.
func (p planted) plantMassive(name string, values []float32, layerNorm bool) {
	from := p.Config().Vision.Layers * 5 / 12
	if name == fmt.Sprintf("vision_model.encoder.layers.%d.mlp.fc2.bias", from) {
		for i, size := range []float32{60, -100, 150, -200} {
			values[p.channel(i, len(values))] = size
		}
	}
	if p.kind == "massdown" && layerNorm {
		var layer int
		if _, err := fmt.Sscanf(name, "vision_model.encoder.layers.%d.", &layer); err == nil && layer > from {
			p.scale(values, 0.01, len(values))
		}
	}
}

// plantedConfig is the sizes of planted checkpoints: small ones, or those of the measurements in docs/measurements/int8.md.
func plantedConfig(full bool) modelconfig.Config {
	config := modelconfig.Config{Name: "planted", QueryTokens: 8, ProjectionSize: 32,
		Vision: modelconfig.Vision{HiddenSize: 96, Layers: 4, Heads: 4, IntermediateSize: 384, ImageSize: 56, PatchSize: 14,
			Activation: modelconfig.Gelu, LayerNormEpsilon: 1e-6, FinalLayerNormEpsilon: 1e-6, PatchBias: true},
		QFormer: modelconfig.QFormer{HiddenSize: 64, Layers: 4, Heads: 4, IntermediateSize: 256, VocabularySize: 500, MaxPositions: 32,
			CrossAttentionFrequency: 2, LayerNormEpsilon: 1e-12}}
	if full {
		config.QueryTokens, config.ProjectionSize = 32, 128
		config.Vision.HiddenSize, config.Vision.Layers, config.Vision.Heads = 384, 12, 6
		config.Vision.IntermediateSize, config.Vision.ImageSize = 1536, 112
		config.QFormer.HiddenSize, config.QFormer.Layers, config.QFormer.Heads = 192, 6, 6
		config.QFormer.IntermediateSize, config.QFormer.VocabularySize = 768, 4000
	}
	config.Preprocess = modelconfig.Preprocess{ImageSize: config.Vision.ImageSize, RescaleFactor: 1. / 255,
		Mean: [3]float32{0.48145466, 0.4578275, 0.40821073}, StandardDeviation: [3]float32{0.26862954, 0.26130258, 0.27577711}}
	return config
}

// plantedSource is a planted checkpoint, with a captioning head where captions is set.
func plantedSource(t *testing.T, kind string, full, captions bool) planted {
	t.Helper()
	random, err := checkpoint.NewRandom(plantedConfig(full), 7, captions)
	if err != nil {
		t.Fatal(err)
	}
	return planted{random, kind}
}

// realPictures reads count pictures of the built-in gallery as pixels for the model.
func realPictures(t *testing.T, config modelconfig.Config, count int) [][]float32 {
	t.Helper()
	paths, err := filepath.Glob("../builtin/gallery/images/*.webp")
	if err != nil || len(paths) < count {
		t.Fatalf("%d pictures in the gallery: %v", len(paths), err)
	}
	side := config.Vision.ImageSize
	normalization := pixels.Normalization{Mean: config.Preprocess.Mean, StandardDeviation: config.Preprocess.StandardDeviation,
		RescaleFactor: config.Preprocess.RescaleFactor}
	var pictures [][]float32
	for i := range count {
		content, err := os.ReadFile(paths[i*len(paths)/count])
		if err != nil {
			t.Fatal(err)
		}
		picture, err := pixels.Decode(t.Context(), content, pixels.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if picture, err = pixels.Resize(picture, side, side); err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, normalization.Normalize(picture))
	}
	return pictures
}

// realResult is what a model makes of real pictures and drawn texts: parts and text vectors, and two logits for each pair.
type realResult struct{ parts, texts, match [][]float32 }

func runPlanted(t *testing.T, runtime *ort.Runtime, dir string, config modelconfig.Config, pictures [][]float32, texts [][]int64) realResult {
	t.Helper()
	var result realResult
	var tokens []ort.Tensor
	open := func(file string, use func(run func(...ort.Tensor) []float32)) {
		session := openGraph(t, runtime, filepath.Join(dir, file))
		use(func(inputs ...ort.Tensor) []float32 {
			outputs, err := session.Run(t.Context(), inputs...)
			if err != nil {
				t.Fatal(err)
			}
			if file == manifest.VisionFile {
				tokens = append(tokens, outputs[0])
			}
			return outputs[0].Float32()
		})
	}
	side := int64(config.Vision.ImageSize)
	open(manifest.VisionFile, func(run func(...ort.Tensor) []float32) {
		for _, picture := range pictures {
			run(ort.Float32Tensor(picture, 1, 3, side, side))
		}
	})
	open(manifest.ImagePartsFile, func(run func(...ort.Tensor) []float32) {
		for _, picture := range tokens {
			result.parts = append(result.parts, run(picture))
		}
	})
	open(manifest.TextFile, func(run func(...ort.Tensor) []float32) {
		for _, text := range texts {
			ids, mask := textTensors(text)
			result.texts = append(result.texts, run(ids, mask))
		}
	})
	open(manifest.MatchFile, func(run func(...ort.Tensor) []float32) {
		for _, picture := range tokens {
			for _, text := range texts {
				ids, mask := textTensors(text)
				result.match = append(result.match, run(picture, ids, mask))
			}
		}
	})
	return result
}

// contrasts are the cosines of every picture's nearest part with every text.
func (r realResult) contrasts(width int) []float64 {
	var scores []float64
	for _, parts := range r.parts {
		for _, text := range r.texts {
			best := math.Inf(-1)
			for start := 0; start < len(parts); start += width {
				var cosine float64
				for j, value := range text {
					cosine += float64(value) * float64(parts[start+j])
				}
				best = max(best, cosine)
			}
			scores = append(scores, best)
		}
	}
	return scores
}

func worstDifference(a, b []float64) float64 {
	var worst float64
	for i, value := range a {
		if difference := math.Abs(value - b[i]); !(difference <= worst) {
			worst = difference
		}
	}
	return worst
}

func (r realResult) logits() (values []float64) {
	for _, pair := range r.match {
		values = append(values, float64(pair[0]), float64(pair[1]))
	}
	return values
}

// margins is by how much each pair's logit for a match exceeds the other.
func (r realResult) margins() (values []float64) {
	for _, pair := range r.match {
		values = append(values, float64(pair[1])-float64(pair[0]))
	}
	return values
}

// methodCounts says in how many products each method is used, in one part of a model.
func methodCounts(choices []manifest.LayerChoice, vision bool) string {
	counts := map[string]int{}
	for _, choice := range choices {
		if strings.HasPrefix(choice.Layer, "vision_model.") == vision {
			counts[choice.Method]++
		}
	}
	var text []string
	for _, method := range []quantize.Method{quantize.PerRun, quantize.PerRow, quantize.PerBlock, quantize.Float32} {
		if counts[string(method)] > 0 {
			text = append(text, fmt.Sprintf("%d %s", counts[string(method)], method))
		}
	}
	return strings.Join(text, ", ")
}

// plantedVariable makes TestPlantedFull measure: all kinds, or those named, with commas between.
const plantedVariable = "MEKIKI_PLANTED"

// TestPlantedFull compiles the planted checkpoints at 12 layers of 384 and writes a row of docs/measurements/int8.md for
// each, with real pictures.
func TestPlantedFull(t *testing.T) {
	asked := os.Getenv(plantedVariable)
	if asked == "" {
		t.Skipf("%s is not set", plantedVariable)
	}
	runtime := orttest.Open(t)
	const pictures, texts = 8, 10
	for _, kind := range plantedKinds {
		if asked != "all" && !slices.Contains(strings.Split(asked, ","), kind) {
			continue
		}
		source := plantedSource(t, kind, true, false)
		config := source.Config()
		folder := t.TempDir()
		model, err := Compile(t.Context(), source, filepath.Join(folder, "int8"), CompileOptions{Runtime: runtime, Threads: 2, Logger: debugLogger()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Compile(t.Context(), source, filepath.Join(folder, "fp32"), CompileOptions{Precision: manifest.Float32}); err != nil {
			t.Fatal(err)
		}
		images, ids := realPictures(t, config, pictures), drawTexts(config.QFormer)
		for i := range texts - len(ids) {
			ids = append(ids, slices.Clone(ids[i][:5]))
		}
		exact := runPlanted(t, runtime, filepath.Join(folder, "fp32"), config, images, ids)
		got := runPlanted(t, runtime, filepath.Join(folder, "int8"), config, images, ids)
		real := quantize.Compare(quantize.Results{Width: config.ProjectionSize, Parts: exact.parts},
			quantize.Results{Width: config.ProjectionSize, Parts: got.parts})
		check := model.SelfCheck
		margins := exact.margins()
		fmt.Printf("PLANTED | %s | %s | %s | %.5f / %.5f, %.3f | %.5f / %.5f | %.4f | %.3f of %.1f | %.1f |\n", kind,
			methodCounts(model.Quantization, true), methodCounts(model.Quantization, false),
			check.MeanCosine, check.WorstCosine, check.MatchDifference, real.MeanCosine, real.WorstCosine,
			worstDifference(exact.contrasts(config.ProjectionSize), got.contrasts(config.ProjectionSize)),
			worstDifference(exact.logits(), got.logits()), slices.Max(margins)-slices.Min(margins),
			check.Float32Seconds/check.Int8Seconds)
		fmt.Printf("CHECK %s %+v\n", kind, *check)
	}
}

// TestPublishedSizes compiles random weights of the published sizes in int8, where plantedVariable asks for "published". It
// needs 7 GB of disk and 2 GB of memory.
func TestPublishedSizes(t *testing.T) {
	if os.Getenv(plantedVariable) != "published" {
		t.Skipf("%s is not published", plantedVariable)
	}
	runtime := orttest.Open(t)
	random, err := checkpoint.NewRandom(modelconfig.PublishedConfig(224), 7, false)
	if err != nil {
		t.Fatal(err)
	}
	model, err := Compile(t.Context(), random, filepath.Join(t.TempDir(), "model"), CompileOptions{Runtime: runtime, Threads: 2, Logger: debugLogger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("vision %s; Q-Former %s; %+v; peak memory %d MiB", methodCounts(model.Quantization, true),
		methodCounts(model.Quantization, false), *model.SelfCheck, usage.PeakMemory()>>20)
	if !model.SelfCheck.Good() {
		t.Errorf("loss %.2f of what may be lost", model.SelfCheck.Loss())
	}
}
