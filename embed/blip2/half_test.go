package blip2

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/manifest"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
)

// What half precision must keep beside the reference: the largest absolute error, and the least cosine of a row.
const (
	halfTolerance = 2e-2
	halfCosine    = 0.9999
)

// TestHalfPrecision compares graphs in half precision with the reference implementation: image tokens, parts, text vectors,
// matching and captions. A processor computes their products in float32, of what half precision has kept.
func TestHalfPrecision(t *testing.T) {
	runtime := orttest.Open(t)
	for _, reference := range readReferences(t) {
		if name := reference.Config.Name; name != "clip" && name != "odd" { // the others take long and are no different
			continue
		}
		t.Run(reference.Config.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "model")
			if _, err := Compile(t.Context(), reference.weights(t), dir, CompileOptions{Precision: manifest.Half}); err != nil {
				t.Fatal(err)
			}
			parity := &parityRun{reference: reference, runtime: runtime, dir: dir, tolerance: halfTolerance, cosine: halfCosine}
			tokens := parity.images(t)
			parity.texts(t)
			parity.match(t, tokens)
			parity.captions(t, tokens)
		})
	}
}

// TestSecondStageHalf compares second stages in half precision with the reference: image tokens, states, projected states and the
// logits of every position, read at once and one by one.
func TestSecondStageHalf(t *testing.T) {
	runtime := orttest.Open(t)
	for _, r := range blip2test.ReadLanguageReferences(t, "testdata/language") {
		t.Run(r.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "model")
			source := tinySecond{r.Weights(t), r.Config, map[string]string{"tokenizer.json": "{}"}}
			if _, err := Compile(t.Context(), source, dir, CompileOptions{Precision: manifest.Half}); err != nil {
				t.Fatal(err)
			}
			p := &secondParity{parityRun{tolerance: halfTolerance, cosine: halfCosine}, openSecond(t, runtime, dir), r}
			for i := range r.Cases {
				p.compare(t, i)
			}
			t.Logf("worst absolute error %.2g (%s)", p.worst, p.where)
			if nodes := halfProducts(t, filepath.Join(dir, manifest.LanguageStepFile)); nodes == 0 {
				t.Error("no product of the language model is in half precision")
			}
		})
	}
}

// halfProducts counts the products of a graph that read what was cast for them.
func halfProducts(t *testing.T, path string) (count int) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := onnx.Nodes(content)
	if err != nil {
		t.Fatal(err)
	}
	cast := map[string]bool{}
	for _, node := range nodes {
		switch {
		case node.Operator == "Cast":
			cast[node.Outputs[0]] = true
		case node.Operator == "MatMul" && cast[node.Inputs[0]]:
			count++
		}
	}
	return count
}

// TestMergingPrecisions merges tokens in int8 and in half precision, where other tokens may be merged than in float32: as many,
// and parts that are like the reference's.
func TestMergingPrecisions(t *testing.T) {
	runtime := orttest.Open(t)
	for _, reference := range readReferences(t) {
		vision := reference.Config.Vision
		if vision.Merged == 0 {
			continue
		}
		for _, precision := range []manifest.Precision{manifest.Int8, manifest.Half} {
			t.Run(reference.Name+"/"+string(precision), func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "model")
				if _, err := Compile(t.Context(), reference.weights(t), dir, CompileOptions{Precision: precision, Runtime: runtime, Threads: 1}); err != nil {
					t.Fatal(err)
				}
				parity := &parityRun{reference: reference, runtime: runtime, dir: dir}
				tokens := parity.run(t, manifest.VisionFile, map[string]ort.Tensor{manifest.PixelsName: parity.pixels()})[0]
				parts := parity.run(t, manifest.ImagePartsFile, map[string]ort.Tensor{manifest.ImageTokensName: tokens})[0].Float32()
				for image := range slices.Chunk(tokens.Float32(), vision.Tokens()*vision.HiddenSize) {
					different := map[string]bool{}
					for row := range slices.Chunk(image, vision.HiddenSize) {
						different[fmt.Sprint(row)] = true
					}
					if want := vision.LayerTokens(vision.Layers); len(different) != want {
						t.Errorf("%d different tokens are left, want %d", len(different), want)
					}
				}
				mean, worst := rowCosines(parts, reference.Parts.Values(t), reference.Config.ProjectionSize)
				t.Logf("cosine of parts %.5f on average, %.5f at worst", mean, worst)
				if !(mean >= leastMergedCosine) {
					t.Errorf("the cosine of parts is %.4f on average, less than %g", mean, leastMergedCosine)
				}
			})
		}
	}
}

// leastMergedCosine is how like parts must be where the precision may merge other tokens, in models of random weights, whose
// tokens are hardly alike.
const leastMergedCosine = 0.9

// rowCosines is the mean and the least cosine of rows of this width, one by one.
func rowCosines(got, want []float32, width int) (mean, worst float64) {
	worst = 1
	rows := 0
	for start := 0; start+width <= len(want); start += width {
		var product, one, other float64
		for i := start; i < start+width; i++ {
			product += float64(got[i]) * float64(want[i])
			one += float64(got[i]) * float64(got[i])
			other += float64(want[i]) * float64(want[i])
		}
		cosine := product / math.Sqrt(one*other)
		mean += cosine
		if !(cosine >= worst) { // also for NaN
			worst = cosine
		}
		rows++
	}
	return mean / float64(max(1, rows)), worst
}
