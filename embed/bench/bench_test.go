package bench

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mekiki/embed/blip2"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort/orttest"
)

func tiny() modelconfig.Config {
	config := modelconfig.PublishedConfig(32)
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
			"image": &result.Image, "pixels": &result.Pixels, "parts": &result.Parts, "text": &result.Text, "texts": &result.Texts,
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
	if len(report.Speedup) != 10 {
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

// secondStage is a second stage of random weights with a tokenizer of bytes.
type secondStage struct {
	*checkpoint.Random
	config modelconfig.Config
}

func (s secondStage) Config() modelconfig.Config { return s.config }

func (s secondStage) ReadFile(name string) ([]byte, error) {
	switch name {
	case "vocab.json":
		return []byte(`{"<s>":0,"</s>":1,"a":2,"b":3}`), nil
	case "merges.txt":
		return []byte("#version: 0.2\n"), nil
	case "tokenizer_config.json":
		return []byte(`{"tokenizer_class":"GPT2Tokenizer","bos_token":"<s>","eos_token":"</s>","unk_token":"<s>"}`), nil
	}
	return nil, fs.ErrNotExist
}

func TestRunOnASecondStage(t *testing.T) {
	config := tiny()
	config.Language = &modelconfig.Language{Architecture: modelconfig.OPT, HiddenSize: 16, Layers: 1, Heads: 2, KeyValueHeads: 2,
		HeadWidth: 8, IntermediateSize: 24, VocabularySize: 6, Words: 4, Positions: 80, Activation: "relu", NormEpsilon: 1e-5,
		Tied: true, End: []int64{1}, Prompts: modelconfig.Prompts{Question: "ab {}"}}
	weights, err := checkpoint.NewRandom(config, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "model")
	if _, err := blip2.Compile(t.Context(), secondStage{weights, config}, dir, blip2.CompileOptions{Precision: manifest.Float32}); err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), Options{Runtime: orttest.Open(t), ModelDirs: []string{dir}, Least: time.Millisecond, Threads: 1})
	if err != nil || len(report.Results) != 1 || report.Results[0].Answers == nil {
		t.Fatalf("report %+v, %v", report, err)
	}
	result := report.Results[0]
	for name, figure := range map[string]Figure{
		"states": result.Answers.States, "first": result.Answers.First, "together": result.Answers.Together, "choice": result.Answers.Choice,
	} {
		if figure.Runs < fewest || figure.Median <= 0 || figure.PerSecond <= 0 {
			t.Errorf("%s: %+v", name, figure)
		}
	}
	if result.Answers.Token.Runs < fewest || result.Answers.BeamToken.Runs < fewest || result.Answers.TokenBytes == 0 ||
		result.ModelBytes == 0 || result.Open <= 0 || result.Name == "" {
		t.Errorf("%+v", result)
	}
	if _, err := json.Marshal(report); err != nil {
		t.Error(err)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, Options{Runtime: orttest.Open(t), Config: tiny(), WorkDir: t.TempDir(), Progress: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}
