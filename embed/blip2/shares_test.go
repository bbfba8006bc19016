package blip2

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/embed/ort/orttest"
)

// TestShares wants every product to count once, with the work of its shape.
func TestShares(t *testing.T) {
	config := plantedConfig(false)
	manifest := Manifest{Config: config, HasCaptionHead: true, Quantization: []LayerChoice{
		{Layer: "vision_model.encoder.layers.0.self_attn.qkv", Method: "int8"},
		{Layer: "vision_model.encoder.layers.0.self_attn.projection", Method: "fp32"},
		{Layer: "qformer.encoder.layer.0.attention.attention.query+2", Method: "int8_rows"},
		{Layer: "qformer.encoder.layer.0.crossattention.attention.key", Method: "int8_rows"},
		{Layer: "qformer.encoder.layer.0.intermediate_query.dense", Method: "fp32"},
		{Layer: "qformer.encoder.layer.0.intermediate.dense", Method: "fp32"},
		{Layer: "cls.predictions.transform.dense", Method: "int8_rows"},
	}}
	want := []Share{
		{VisionPart, "int8", 1, 0.5, 17 * 3 * 96 * 96, 0.75},
		{VisionPart, "fp32", 1, 0.5, 17 * 96 * 96, 0.25},
		{QFormerPart, "int8_rows", 2, 0.5, (8+12)*3*64*64 + 17*64*96, 0},
		{QFormerPart, "fp32", 2, 0.5, (8 + 12) * 64 * 256, 0},
		{CaptionPart, "int8_rows", 1, 1, 12 * 64 * 64, 1},
	}
	former := want[2].MultiplyAdds + want[3].MultiplyAdds
	want[2].MultiplyAddShare, want[3].MultiplyAddShare = float64(want[2].MultiplyAdds)/float64(former), float64(want[3].MultiplyAdds)/float64(former)
	got := manifest.Shares()
	if len(got) != len(want) {
		t.Fatalf("shares %+v, want %+v", got, want)
	}
	for i := range want {
		if math.Abs(got[i].MultiplyAddShare-want[i].MultiplyAddShare) > 1e-9 {
			t.Errorf("share %+v, want %+v", got[i], want[i])
		}
		if got[i].MultiplyAddShare = want[i].MultiplyAddShare; got[i] != want[i] {
			t.Errorf("share %+v, want %+v", got[i], want[i])
		}
	}
}

// TestSharesOfAModel wants the work of every product of a compiled model to be known.
func TestSharesOfAModel(t *testing.T) {
	runtime := orttest.Open(t)
	manifest, err := Compile(t.Context(), plantedSource(t, "none", false, true), filepath.Join(t.TempDir(), "model"), CompileOptions{Runtime: runtime, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	shapes := tensorShapes(manifest.Config, true)
	for _, choice := range manifest.Quantization {
		if manifest.multiplyAdds(shapes, choice.Layer) == 0 {
			t.Errorf("the work of %s is not known", choice.Layer)
		}
	}
}

// TestWarnings wants a warning for a model that loses too much, and for one that int8 does not make faster.
func TestWarnings(t *testing.T) {
	check := SelfCheck{MeanCosine: 1, WorstCosine: 1, TextMeanCosine: 1, TextWorstCosine: 1, MatchDifference: 3.8, MarginDifference: 3.9,
		MatchSpread: 33, Float32Seconds: 2.7, Int8Seconds: 1}
	for _, test := range []struct {
		change func(*SelfCheck)
		want   string
	}{
		{func(*SelfCheck) {}, "loses too much"},
		{func(c *SelfCheck) { c.MarginDifference, c.Int8Seconds = 0.2, 3 }, "no speed"},
		{func(c *SelfCheck) { c.MarginDifference = 0.2 }, ""},
	} {
		changed := check
		test.change(&changed)
		got := strings.Join(Manifest{SelfCheck: &changed}.Warnings(), "; ")
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("warned %q, want %q", got, test.want)
		}
	}
	if got := (Manifest{}).Warnings(); len(got) > 0 {
		t.Errorf("warned of a model in float32: %q", got)
	}
}
