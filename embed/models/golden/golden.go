// Package golden compares a model with the values that were published for its checkpoint: by the tests of Hugging Face
// transformers and by the notebooks of LAVIS. Whoever has the published weights can so see whether this program computes
// what the reference does.
package golden

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/internal/bounded"
	"mekiki/internal/hint"
)

// ErrUnknown means that no values were published for a checkpoint.
var ErrUnknown = errors.New("no published values are known")

// Engine is what the comparison asks of a model; *embed.Engine is one.
type Engine interface {
	ImageTokens(ctx context.Context, images []*pixels.Image) ([]embed.ImageTokens, error)
	ImageParts(ctx context.Context, tokens []embed.ImageTokens) ([]embed.Parts, error)
	TextVectors(ctx context.Context, texts []string) ([]embed.Vector, error)
	Match(ctx context.Context, tokens embed.ImageTokens, texts []string) ([]embed.Match, error)
}

var _ Engine = (*embed.Engine)(nil)

// Case is one published computation: an image, a text, and what the reference gave. Absent values are nil.
type Case struct {
	// Checkpoint is the name of the published checkpoint, as mekiki pull knows it.
	Checkpoint string
	// Image is the file name of the image, and Path where it is: below the Hugging Face endpoint when Hub is set,
	// otherwise a whole address.
	Image, Path string
	Hub         bool
	Text        string
	// Similarity is the cosine of text and nearest part; Probability is the softmax of the matching logits.
	Similarity, Probability *float64
	// FirstPart and TextVector are the beginnings of the image's first part and of the text's vector.
	FirstPart, TextVector []float64
	// Source says where the values were published.
	Source string
}

func number(value float64) *float64 { return &value }

// Published lists all cases.
func Published() []Case {
	const (
		hubImage   = "datasets/hf-internal-testing/blip-test-image/resolve/main/demo.jpg"
		lavisImage = "https://raw.githubusercontent.com/salesforce/LAVIS/main/docs/_static/merlion.png"
		hubSource  = "transformers, tests/models/blip_2/test_modeling_blip_2.py"
	)
	return []Case{
		{
			Checkpoint: "blip2-itm-vit-g", Image: "demo.jpg", Path: hubImage, Hub: true, Text: "A woman and her dog sitting in a beach",
			Similarity: number(0.4406), Probability: number(0.9762), Source: hubSource,
		},
		{
			Checkpoint: "blip2-itm-vit-g", Image: "demo.jpg", Path: hubImage, Hub: true, Text: "a woman sitting on the beach with a dog",
			FirstPart:  []float64{-0.09399, -0.07593, 0.03189, 0.05301, 0.03528, -0.01190},
			TextVector: []float64{-0.10828, 0.05319, -0.02826, 0.01698, 0.08649, -0.04657},
			Source:     hubSource + " (half precision)",
		},
		{
			Checkpoint: "blip2", Image: "merlion.png", Path: lavisImage, Text: "a large fountain spewing water into the air",
			Similarity: number(0.3642), Source: "LAVIS, examples/blip2_feature_extraction.ipynb",
		},
	}
}

// Cases returns the cases of a checkpoint by its published name, also as the folder of a repository or a file calls it.
func Cases(checkpoint string) ([]Case, error) {
	name := strings.ToLower(checkpoint)
	if name == "blip2_pretrained" {
		name = "blip2"
	}
	var found []Case
	var known []string
	for _, published := range Published() {
		if published.Checkpoint == name {
			found = append(found, published)
		}
		known = append(known, published.Checkpoint)
	}
	if len(found) == 0 {
		return nil, hint.Wrap(fmt.Errorf("%w for the checkpoint %q", ErrUnknown, checkpoint),
			"values are known for "+strings.Join(unique(known), " and "))
	}
	return found, nil
}

// unique drops repeated neighbours.
func unique(names []string) []string {
	var kept []string
	for _, name := range names {
		if len(kept) == 0 || kept[len(kept)-1] != name {
			kept = append(kept, name)
		}
	}
	return kept
}

// Comparison is one published number beside ours.
type Comparison struct {
	// Name says which number it is.
	Name string `json:"name"`
	// Image and Text are what it was computed from.
	Image string `json:"image"`
	Text  string `json:"text,omitempty"`
	// Published is the reference's value and Ours this program's.
	Published float64 `json:"published"`
	Ours      float64 `json:"ours"`
	// Source says where the value was published.
	Source string `json:"source"`
}

// Difference is the absolute difference of the two.
func (c Comparison) Difference() float64 { return math.Abs(c.Published - c.Ours) }

// Compare computes every published number of the cases with the model. The images lie in a folder under their names.
func Compare(ctx context.Context, engine Engine, cases []Case, images string) ([]Comparison, error) {
	var comparisons []Comparison
	for _, published := range cases {
		found, err := compare(ctx, engine, published, images)
		if err != nil {
			return nil, fmt.Errorf("%s, %q: %w", published.Image, published.Text, err)
		}
		comparisons = append(comparisons, found...)
	}
	return comparisons, nil
}

func compare(ctx context.Context, engine Engine, published Case, images string) ([]Comparison, error) {
	image, err := readImage(ctx, filepath.Join(images, published.Image))
	if err != nil {
		return nil, err
	}
	tokens, err := engine.ImageTokens(ctx, []*pixels.Image{image})
	if err != nil {
		return nil, err
	}
	parts, err := engine.ImageParts(ctx, tokens)
	if err != nil {
		return nil, err
	}
	texts, err := engine.TextVectors(ctx, []string{published.Text})
	if err != nil {
		return nil, err
	}
	matches, err := engine.Match(ctx, tokens[0], []string{published.Text})
	if err != nil {
		return nil, err
	}
	var comparisons []Comparison
	add := func(name string, value *float64, ours float32) {
		if value != nil {
			comparisons = append(comparisons, Comparison{
				Name: name, Image: published.Image, Text: published.Text, Published: *value, Ours: float64(ours), Source: published.Source,
			})
		}
	}
	similarity, _ := parts[0].Similarity(texts[0])
	add("similarity (ITC)", published.Similarity, similarity)
	add("match probability (ITM)", published.Probability, matches[0].Probability)
	for i, value := range published.FirstPart {
		add(fmt.Sprintf("image part 0, value %d", i), &value, parts[0].Row(0)[i])
	}
	for i, value := range published.TextVector {
		add(fmt.Sprintf("text vector, value %d", i), &value, texts[0][i])
	}
	return comparisons, nil
}

// readImage reads and decodes a file of bounded size.
func readImage(ctx context.Context, path string) (*pixels.Image, error) {
	data, err := bounded.ReadFile(path, maximumImage)
	if err != nil {
		return nil, err
	}
	return pixels.Decode(ctx, data, pixels.Options{})
}
