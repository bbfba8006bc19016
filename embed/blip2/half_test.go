package blip2

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"mekiki/embed/manifest"
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
