package ort_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// writeScale writes a graph that gives y = scale * x, its factors in the file or
// beside it.
func writeScale(t testing.TB, dir string, external bool) string {
	t.Helper()
	factors := []float32{2, 3, 4}
	tensor := onnx.Float32Tensor(factors, 3)
	if external {
		data, err := onnx.CreateDataFile(dir, "weights.bin")
		if err != nil {
			t.Fatal(err)
		}
		if tensor, err = data.AppendFloat32(factors, 3); err != nil {
			t.Fatal(err)
		}
		if _, err := data.Close(); err != nil {
			t.Fatal(err)
		}
	}
	graph := onnx.NewGraph("scale")
	x := graph.Input("x", onnx.Float32, onnx.Dynamic("rows"), onnx.Fixed(3))
	graph.Output("y", graph.Multiply(x, graph.Constant("factors", tensor)))
	if err := graph.Write(dir, "scale.onnx"); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "scale.onnx")
}

func TestInspect(t *testing.T) {
	want := ort.Model{
		Inputs:  []ort.Value{{Name: "x", Type: ort.Float32, Shape: []int64{-1, 3}}},
		Outputs: []ort.Value{{Name: "y", Type: ort.Float32, Shape: []int64{-1, 3}}},
	}
	got, err := ort.Inspect(writeScale(t, t.TempDir(), false))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Inspect: %v\n%s", err, diff)
	}
	want.External = []string{"weights.bin"}
	got, err = ort.Inspect(writeScale(t, t.TempDir(), true))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Inspect with external data: %v\n%s", err, diff)
	}
}

func TestInspectRefuses(t *testing.T) {
	dir := t.TempDir()
	sound, err := os.ReadFile(writeScale(t, dir, true))
	if err != nil {
		t.Fatal(err)
	}
	outside := replace(t, sound, "weights.bin", "../ights.bin")
	tests := map[string][]byte{
		"empty":             nil,
		"text":              []byte("this is not a model"),
		"cut short":         sound[:len(sound)-3],
		"data outside":      outside,
		"absolute data":     replace(t, sound, "weights.bin", "/ights.bin0"),
		"endless number":    {0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"length of the sun": {0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "refused.onnx")
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := ort.Inspect(path); !errors.Is(err, ort.ErrModel) {
				t.Errorf("Inspect: %v, want ErrModel", err)
			}
		})
	}
	if _, err := ort.Inspect(filepath.Join(dir, "missing.onnx")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Inspect of a missing file: %v", err)
	}
}

// replace swaps one name for another of the same length, so that the message
// around it stays sound.
func replace(t *testing.T, content []byte, from, to string) []byte {
	t.Helper()
	to = (to + "0000000000000")[:len(from)]
	changed := []byte(string(content))
	for i := 0; i+len(from) <= len(changed); i++ {
		if string(changed[i:i+len(from)]) == from {
			copy(changed[i:], to)
			return changed
		}
	}
	t.Fatalf("%s is not in the file", from)
	return nil
}

func FuzzInspect(f *testing.F) {
	for _, external := range []bool{false, true} {
		content, err := os.ReadFile(writeScale(f, f.TempDir(), external))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
		f.Add(content[:len(content)/2])
	}
	f.Add([]byte{0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, content []byte) {
		model, err := ort.ReadModel(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return
		}
		for _, name := range model.External {
			if !filepath.IsLocal(name) {
				t.Errorf("external file %q is not in the folder", name)
			}
		}
	})
}
