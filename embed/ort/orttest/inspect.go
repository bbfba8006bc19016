package orttest

import (
	"testing"

	"mekiki/embed/ort"
)

// Inspect asks ONNX Runtime for a graph's inputs and outputs.
func Inspect(t testing.TB, path string) (inputs, outputs []ort.Value) {
	t.Helper()
	described, err := Open(t).Describe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return described.Inputs, described.Outputs
}
