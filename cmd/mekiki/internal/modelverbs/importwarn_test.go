package modelverbs

import (
	"bytes"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/models"
)

// TestInt8Warnings wants import and models show to warn of a model that int8 spoils or does not make faster, and to say what
// share of it is computed how.
func TestInt8Warnings(t *testing.T) {
	check := manifest.SelfCheck{MeanCosine: 0.9999, WorstCosine: 0.9998, TextMeanCosine: 1, TextWorstCosine: 1,
		MatchDifference: 3.8, MarginDifference: 3.9, MatchSpread: 33, Float32Seconds: 0.9, Int8Seconds: 1}
	described := manifest.Manifest{Precision: manifest.Int8, SelfCheck: &check, Config: modelconfig.Config{QueryTokens: 2,
		Vision:  modelconfig.Vision{HiddenSize: 8, Layers: 1, Heads: 2, IntermediateSize: 16, ImageSize: 8, PatchSize: 4},
		QFormer: modelconfig.QFormer{HiddenSize: 8, Layers: 1, Heads: 2, IntermediateSize: 16, VocabularySize: 9, MaxPositions: 9}},
		Quantization: []manifest.LayerChoice{{Layer: "vision_model.encoder.layers.0.self_attn.qkv", Method: "int8"},
			{Layer: "vision_model.encoder.layers.0.self_attn.projection", Method: "fp32"}}}
	model := models.Model{Name: "spoilt", Manifest: described}
	for name, print := range map[string]func(*cli.App) error{
		"import": func(a *cli.App) error { return printImported(a, imported{Model: model}) },
		"show":   func(a *cli.App) error { return printModel(a, model) },
	} {
		for _, asJSON := range []bool{false, true} {
			if asJSON && name == "show" {
				continue // needs a folder; see TestPull
			}
			var out bytes.Buffer
			if err := print(&cli.App{Out: &out, AsJSON: asJSON}); err != nil {
				t.Fatal(err)
			}
			for _, part := range []string{"loses too much", "3.800", "no speed", "0.90 times"} {
				if !strings.Contains(out.String(), part) {
					t.Errorf("%s, JSON %t: %q is not in\n%s", name, asJSON, part, &out)
				}
			}
			if !asJSON && !strings.Contains(out.String(), "--precision fp32") {
				t.Errorf("%s gives no advice:\n%s", name, &out)
			}
			if share := "1 product of the vision encoder (50 %), 75 % of its multiply-adds"; name == "show" && !strings.Contains(out.String(), share) {
				t.Errorf("%q is not in\n%s", share, &out)
			}
		}
	}
}
