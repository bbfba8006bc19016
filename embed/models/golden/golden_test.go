package golden

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"mekiki/embed"
	"mekiki/embed/pixels"
)

// fixedEngine gives the published values of one case, moved by an offset.
type fixedEngine struct {
	published Case
	offset    float32
}

func (e fixedEngine) ImageTokens(context.Context, []*pixels.Image) ([]embed.ImageTokens, error) {
	return []embed.ImageTokens{{}}, nil
}

func (e fixedEngine) ImageParts(context.Context, []embed.ImageTokens) ([]embed.Parts, error) {
	values := make([]float32, 8)
	for i, value := range e.published.FirstPart {
		values[i] = float32(value) + e.offset
	}
	if e.published.Similarity != nil {
		values[7] = float32(*e.published.Similarity) + e.offset
	}
	return []embed.Parts{{Count: 1, Width: 8, Values: values}}, nil
}

func (e fixedEngine) TextVectors(context.Context, []string) ([]embed.Vector, error) {
	vector := make(embed.Vector, 8)
	for i, value := range e.published.TextVector {
		vector[i] = float32(value) + e.offset
	}
	if e.published.Similarity != nil {
		vector[7] = 1
	}
	return []embed.Vector{vector}, nil
}

func (e fixedEngine) Match(context.Context, embed.ImageTokens, []string) ([]embed.Match, error) {
	if e.published.Probability == nil {
		return []embed.Match{{}}, nil
	}
	return []embed.Match{{Probability: float32(*e.published.Probability) + e.offset}}, nil
}

func TestCompare(t *testing.T) {
	images := t.TempDir()
	var drawn bytes.Buffer
	if err := png.Encode(&drawn, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"demo.jpg", "merlion.png"} {
		if err := os.WriteFile(filepath.Join(images, name), drawn.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for _, published := range Published() {
		for _, offset := range []float32{0, 0.25} {
			comparisons, err := Compare(t.Context(), fixedEngine{published, offset}, []Case{published}, images)
			if err != nil {
				t.Fatal(err)
			}
			total += len(comparisons)
			for _, comparison := range comparisons {
				if math.Abs(comparison.Difference()-float64(offset)) > 1e-6 {
					t.Errorf("offset %v: %+v differs by %v", offset, comparison, comparison.Difference())
				}
			}
		}
	}
	if total != 2*(2+12+1) {
		t.Errorf("%d comparisons", total)
	}
	if _, err := Compare(t.Context(), fixedEngine{}, Published(), t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without images: %v", err)
	}
}

func TestCases(t *testing.T) {
	for name, want := range map[string]int{"blip2-itm-vit-g": 2, "blip2_pretrained": 1, "Blip2": 1} {
		cases, err := Cases(name)
		if err != nil || len(cases) != want {
			t.Errorf("%s: %d cases, %v", name, len(cases), err)
		}
	}
	if _, err := Cases("builtin"); !errors.Is(err, ErrUnknown) {
		t.Errorf("error %v", err)
	}
}
