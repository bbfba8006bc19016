package bench

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"mekiki/embed/blip2"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort/orttest"
)

// TestPublishedQFormer compiles a model of random weights in int8 whose Q-Former has the published size, behind so many layers of ViT-g as
// a variable says, and logs its figures. With 2 of 39 layers it takes minutes instead of half an hour, and texts and pairs
// take the same time. The model stays in the folder that another variable names, for later runs.
func TestPublishedQFormer(t *testing.T) {
	layers, err := strconv.Atoi(os.Getenv("MEKIKI_BENCH_LAYERS"))
	if err != nil {
		t.Skip("MEKIKI_BENCH_LAYERS is not set")
	}
	runtime := orttest.Open(t)
	config := modelconfig.PublishedConfig(224)
	config.Vision.Layers = layers
	dir := filepath.Join(t.TempDir(), "model")
	if folder := os.Getenv("MEKIKI_BENCH_FOLDER"); folder != "" {
		dir = filepath.Join(folder, strconv.Itoa(layers))
	}
	if _, err := os.Stat(filepath.Join(dir, manifest.FileName)); err != nil {
		weights, err := checkpoint.NewRandom(config, 1, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := blip2.Compile(t.Context(), weights, dir, blip2.CompileOptions{Precision: manifest.Int8, Runtime: runtime, Threads: 2}); err != nil {
			t.Fatal(err)
		}
	}
	report, err := Run(t.Context(), Options{Runtime: runtime, ModelDirs: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	result := report.Results[0]
	for _, one := range []struct {
		name   string
		figure Figure
	}{{"an image", result.Image}, {"its parts", result.Parts}, {"a text", result.Text}, {"a text of 16", result.Texts}, {"a pair", *result.Match},
		{"a pair of 8 images", *result.Matches}, {"a pair of one image with 8 texts", *result.OneImage}} {
		t.Logf("%-34s clock least %.1f, median %.1f, processor %.1f ms; %.1f a second", one.name, 1000*one.figure.Least, 1000*one.figure.Median,
			1000*one.figure.Processor, one.figure.PerSecond)
	}
}
