package blip2

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
)

// tinyConfig is the smallest model that has every part.
func tinyConfig() modelconfig.Config {
	return modelconfig.Config{
		Name: "tiny",
		Vision: modelconfig.Vision{HiddenSize: 8, Layers: 1, Heads: 2, IntermediateSize: 8, ImageSize: 8, PatchSize: 4,
			Activation: modelconfig.Gelu, LayerNormEpsilon: 1e-6, FinalLayerNormEpsilon: 1e-6, PatchBias: true},
		QFormer: modelconfig.QFormer{HiddenSize: 8, Layers: 2, Heads: 2, IntermediateSize: 8, VocabularySize: 16,
			MaxPositions: 8, CrossAttentionFrequency: 2, LayerNormEpsilon: 1e-12},
		QueryTokens: 2, ProjectionSize: 4,
	}
}

func tinyWeights(t testing.TB, captions bool) *checkpoint.Random {
	t.Helper()
	weights, err := checkpoint.NewRandom(tinyConfig(), 1, captions)
	if err != nil {
		t.Fatal(err)
	}
	return weights
}

func folderNames(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestCompile(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "model")
	compile := func(captions bool) manifest.Manifest {
		t.Helper()
		model, err := Compile(t.Context(), tinyWeights(t, captions), dir, CompileOptions{Precision: manifest.Float32})
		if err != nil {
			t.Fatal(err)
		}
		return model
	}
	first := compile(true)
	if again := compile(true); again.Fingerprint != first.Fingerprint {
		t.Errorf("compiling twice gave fingerprints %s and %s", first.Fingerprint, again.Fingerprint)
	}
	second := compile(false)
	if second.HasCaptionHead || second.Fingerprint == first.Fingerprint {
		t.Errorf("without a language-model head: captions %v, fingerprint equal %v", second.HasCaptionHead, second.Fingerprint == first.Fingerprint)
	}
	want := []string{"image_parts.onnx", "match.onnx", "match_image.onnx", "match_text.onnx", "model.json",
		"qformer.bin", "text.onnx", "vision.bin", "vision.onnx", "vocab.txt"}
	if difference := cmp.Diff(want, folderNames(t, dir)); difference != "" {
		t.Errorf("files (-want +got):\n%s", difference)
	}
	if difference := cmp.Diff([]string{"model"}, folderNames(t, parent)); difference != "" {
		t.Errorf("folders left behind (-want +got):\n%s", difference)
	}
	read, err := manifest.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(second, read); difference != "" {
		t.Errorf("manifest (-written +read):\n%s", difference)
	}
	if err := errors.Join(read.Verify(t.Context(), dir), read.CheckFolder(dir)); err != nil {
		t.Error(err)
	}
}

// faultyWeights is weights with one fault.
type faultyWeights struct {
	*checkpoint.Random
	missing, misshapen string
	vocabulary         bool
	calibration        []byte
	read               func()
}

func (f faultyWeights) Shape(name string) ([]int, bool) {
	if name == f.missing {
		return nil, false
	}
	shape, ok := f.Random.Shape(name)
	if name == f.misshapen {
		return append([]int{1}, shape...), ok
	}
	return shape, ok
}

func (f faultyWeights) Float32(ctx context.Context, name string) ([]float32, error) {
	if f.read != nil {
		f.read()
	}
	return f.Random.Float32(ctx, name)
}

func (f faultyWeights) Vocabulary() ([]byte, bool) {
	words, _ := f.Random.Vocabulary()
	return words, f.vocabulary
}

func (f faultyWeights) ReadFile(name string) ([]byte, error) {
	if f.calibration != nil && name == calibrationFile {
		return f.calibration, nil
	}
	return f.Random.ReadFile(name)
}

func TestCompileFaults(t *testing.T) {
	const tensor = "qformer.encoder.layer.1.output.dense.weight"
	cancelled, cancel := context.WithCancel(t.Context())
	for name, test := range map[string]struct {
		weights faultyWeights
		ctx     context.Context
		want    string
	}{
		"missing tensor":     {faultyWeights{missing: tensor, vocabulary: true}, t.Context(), tensor},
		"misshapen tensor":   {faultyWeights{misshapen: tensor, vocabulary: true}, t.Context(), tensor},
		"no vocabulary":      {faultyWeights{}, t.Context(), "vocabulary"},
		"broken calibration": {faultyWeights{vocabulary: true, calibration: []byte("{")}, t.Context(), calibrationFile},
		"cancelled":          {faultyWeights{vocabulary: true, read: cancel}, cancelled, context.Canceled.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			test.weights.Random = tinyWeights(t, true)
			_, err := Compile(test.ctx, test.weights, filepath.Join(parent, "model"), CompileOptions{Precision: manifest.Float32})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one about %s", err, test.want)
			}
			if names := folderNames(t, parent); len(names) != 0 {
				t.Errorf("left behind: %v", names)
			}
		})
	}
}

func TestCompilePassesCalibrationOn(t *testing.T) {
	weights := faultyWeights{Random: tinyWeights(t, true), vocabulary: true, calibration: []byte(`{"scale": 2}`)}
	dir := filepath.Join(t.TempDir(), "model")
	if _, err := Compile(t.Context(), weights, dir, CompileOptions{Precision: manifest.Float32}); err != nil {
		t.Fatal(err)
	}
	model, err := manifest.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var calibration struct{ Scale int }
	if err := json.Unmarshal(model.Calibration, &calibration); err != nil || calibration.Scale != 2 {
		t.Errorf("calibration is %s: %v", model.Calibration, err)
	}
}

func TestOptions(t *testing.T) {
	weights := tinyWeights(t, false)
	for name, options := range map[string]CompileOptions{
		"int8 without a runtime": {},
		"unknown precision":      {Precision: "fp8"},
	} {
		if _, err := Compile(t.Context(), weights, filepath.Join(t.TempDir(), "model"), options); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	config := tinyConfig()
	config.Vision.Heads, config.Vision.Activation = 3, "relu"
	_, err := checkpoint.NewRandom(config, 1, false)
	for _, want := range []string{"3 heads", "relu"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want also %q", err, want)
		}
	}
}

func TestVerify(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	model, err := Compile(t.Context(), tinyWeights(t, false), dir, CompileOptions{Precision: manifest.Float32})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, visionData)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := model.Verify(t.Context(), dir); err == nil || !strings.Contains(err.Error(), visionData) {
		t.Errorf("a flipped bit: %v", err)
	}
	if err := model.CheckFolder(dir); err != nil {
		t.Errorf("sizes are right: %v", err)
	}
	if err := os.Truncate(path, 10); err != nil {
		t.Fatal(err)
	}
	if err := model.CheckFolder(dir); err == nil || !strings.Contains(err.Error(), visionData) {
		t.Errorf("a short file: %v", err)
	}
	if _, err := manifest.Read(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
}

// FuzzManifest looks for manifests that panic or pass with unacceptable names.
func FuzzManifest(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "model")
	if _, err := Compile(f.Context(), tinyWeights(f, true), dir, CompileOptions{Precision: manifest.Float32}); err != nil {
		f.Fatal(err)
	}
	valid, err := os.ReadFile(filepath.Join(dir, manifest.FileName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(valid)
	f.Add([]byte(strings.ReplaceAll(string(valid), `"vision.bin"`, `"../vision.bin"`)))
	f.Add([]byte(strings.ReplaceAll(string(valid), `"HiddenSize": 8`, `"HiddenSize": -8`)))
	f.Add([]byte(`{"format": 1, "files": null}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		model, err := manifest.Parse(content)
		if err != nil {
			return
		}
		for _, file := range model.Files {
			if filepath.Base(file.Name) != file.Name || file.Size < 0 {
				t.Errorf("accepted file %+v", file)
			}
		}
		if model.Validate() != nil {
			t.Error("accepted a manifest that is not valid")
		}
	})
}
