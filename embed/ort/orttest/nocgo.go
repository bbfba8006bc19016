//go:build !cgo

package orttest

import (
	"testing"

	"mekiki/embed/ort"
)

// Inspect skips the test: there is no ONNX Runtime without cgo.
func Inspect(t testing.TB, _ string) (inputs, outputs []ort.Value) {
	t.Helper()
	t.Skip(ort.ErrNoCgo)
	return nil, nil
}
