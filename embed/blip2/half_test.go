package blip2

import (
	"path/filepath"
	"testing"

	"mekiki/embed/manifest"
	"mekiki/embed/ort/orttest"
)

// halfTolerance is the largest absolute error of half precision beside the reference.
const halfTolerance = 2e-2

// TestHalfPrecision compares graphs in half precision with the reference implementation: image tokens, parts, text vectors and
// matching. A processor computes their products in float32, of what half precision has kept.
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
			parity := &parityRun{reference: reference, runtime: runtime, dir: dir, tolerance: halfTolerance}
			tokens := parity.images(t)
			parity.texts(t)
			parity.match(t, tokens)
		})
	}
}
