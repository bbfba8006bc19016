package bench

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mekiki/embed/blip2"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/ort/orttest"
)

func tiny() checkpoint.Config {
	config := checkpoint.PublishedConfig(32)
	config.Name = "tiny"
	config.Vision.PatchSize, config.Vision.HiddenSize, config.Vision.Layers, config.Vision.Heads, config.Vision.IntermediateSize = 16, 32, 1, 2, 64
	config.QFormer.HiddenSize, config.QFormer.Layers, config.QFormer.Heads, config.QFormer.IntermediateSize = 32, 2, 2, 64
	config.QFormer.VocabularySize, config.QFormer.MaxPositions = 100, 24
	return config
}

func TestRun(t *testing.T) {
	work := t.TempDir()
	report, err := Run(t.Context(), Options{Runtime: orttest.Open(t), Config: tiny(), WorkDir: work, Least: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Results) != 2 || !report.Random || report.Threads < 1 || report.Machine.Runtime == "" {
		t.Fatalf("report %+v", report)
	}
	for _, result := range report.Results {
		for name, figure := range map[string]*Figure{
			"image": &result.Image, "parts": &result.Parts, "text": &result.Text, "texts": &result.Texts,
			"match": result.Match, "matches": result.Matches, "one image": result.OneImage, "greedy": result.Greedy, "beams": result.Beams,
		} {
			if figure == nil || figure.Runs < fewest || figure.Median <= 0 || figure.Least > figure.Median || figure.PerSecond <= 0 {
				t.Errorf("%s %s: %+v", result.Precision, name, figure)
			}
		}
		if result.Product.Giga <= 0 || result.Share <= 0 || result.ModelBytes == 0 || result.Open <= 0 || result.Compile <= 0 {
			t.Errorf("%s: %+v", result.Precision, result)
		}
	}
	if len(report.Speedup) != 9 {
		t.Errorf("speedup %v", report.Speedup)
	}
	if _, err := json.Marshal(report); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(work); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRunOnAModel(t *testing.T) {
	runtime := orttest.Open(t)
	weights, err := checkpoint.NewRandom(tiny(), 1, false)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "model")
	if _, err := blip2.Compile(t.Context(), weights, dir, blip2.CompileOptions{Precision: manifest.Float32}); err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), Options{Runtime: runtime, ModelDirs: []string{dir}, Least: time.Millisecond, Threads: 1})
	if err != nil || report.Random || len(report.Results) != 1 || report.Results[0].Greedy != nil || report.Speedup != nil {
		t.Errorf("report %+v, %v", report, err)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, Options{Runtime: orttest.Open(t), Config: tiny(), WorkDir: t.TempDir(), Progress: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}
