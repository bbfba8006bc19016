package blip2

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/quantize"
)

// TestInt8Outliers gives some features of the vision encoder's layer norms
// large values, as trained encoders have, without changing what the model
// computes. One activation scale cannot hold such features; smoothing can.
func TestInt8Outliers(t *testing.T) {
	runtime := orttest.Open(t)
	for _, reference := range readReferences(t) {
		if reference.Name != "deep" {
			continue
		}
		options := CompileOptions{Runtime: runtime, Threads: 1, Logger: debugLogger()}
		model, err := Compile(t.Context(), outliers{reference.weights(t)}, filepath.Join(t.TempDir(), "model"), options)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", *model.SelfCheck)
		if !model.SelfCheck.Good() {
			t.Errorf("int8 loses too much: %+v", *model.SelfCheck)
		}
		// The products that read these norms must stay in int8 all the same.
		for _, choice := range model.Quantization {
			reads := strings.HasSuffix(choice.Layer, ".qkv") || strings.HasSuffix(choice.Layer, ".fc1")
			if reads && choice.Method != string(quantize.PerRun) && choice.Method != string(quantize.PerRow) {
				t.Errorf("%s is computed as %s", choice.Layer, choice.Method)
			}
		}
	}
}

// outliers scales every eighth feature of the vision encoder's layer norms by
// 64 and the weights that read it by 1/64.
type outliers struct{ *checkpoint.Random }

func (o outliers) Float32(ctx context.Context, name string) ([]float32, error) {
	values, err := o.Random.Float32(ctx, name)
	const every, size = 8, 64
	switch {
	case strings.Contains(name, ".layer_norm"):
		for i := 0; i < len(values); i += every {
			values[i] *= size
		}
	case strings.HasSuffix(name, "qkv.weight"), strings.HasSuffix(name, "fc1.weight"):
		width := o.Config().Vision.HiddenSize
		for i := range values {
			if i%width%every == 0 {
				values[i] /= size
			}
		}
	}
	return values, err
}

// debugLogger writes to standard error in verbose tests.
func debugLogger() *slog.Logger {
	if !testing.Verbose() {
		return nil
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// TestInt8 compiles random models in int8 and looks at their self-check.
func TestInt8(t *testing.T) {
	runtime := orttest.Open(t)
	for _, reference := range readReferences(t) {
		t.Run(reference.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "model")
			options := CompileOptions{Runtime: runtime, Threads: 1, Logger: debugLogger()}
			model, err := Compile(t.Context(), reference.weights(t), dir, options)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v", *model.SelfCheck)
			if !model.SelfCheck.Good() {
				t.Errorf("int8 loses too much: %+v", *model.SelfCheck)
			}
			read, err := manifest.Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := read.Verify(t.Context(), dir); err != nil {
				t.Error(err)
			}
			if read.Fingerprint != model.Fingerprint {
				t.Error("the manifest read back has another fingerprint")
			}
		})
	}
}
