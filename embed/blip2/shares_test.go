package blip2

import (
	"math"
	"path/filepath"
	"testing"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/manifest"
	"mekiki/embed/ort/orttest"
)

// TestShares wants every product to count once, with the work of its shape.
func TestShares(t *testing.T) {
	config := plantedConfig(false)
	model := manifest.Manifest{Config: config, HasCaptionHead: true, Quantization: []manifest.LayerChoice{
		{Layer: "vision_model.encoder.layers.0.self_attn.qkv", Method: "int8"},
		{Layer: "vision_model.encoder.layers.0.self_attn.projection", Method: "fp32"},
		{Layer: "qformer.encoder.layer.0.attention.attention.query+2", Method: "int8_rows"},
		{Layer: "qformer.encoder.layer.0.crossattention.attention.key", Method: "int8_rows"},
		{Layer: "qformer.encoder.layer.0.intermediate_query.dense", Method: "fp32"},
		{Layer: "qformer.encoder.layer.0.intermediate.dense", Method: "fp32"},
		{Layer: "cls.predictions.transform.dense", Method: "int8_rows"},
	}}
	want := []manifest.Share{
		{Part: VisionPart, Method: "int8", Products: 1, ProductShare: 0.5, MultiplyAdds: 17 * 3 * 96 * 96, MultiplyAddShare: 0.75},
		{Part: VisionPart, Method: "fp32", Products: 1, ProductShare: 0.5, MultiplyAdds: 17 * 96 * 96, MultiplyAddShare: 0.25},
		{Part: QFormerPart, Method: "int8_rows", Products: 2, ProductShare: 0.5, MultiplyAdds: (8+12)*3*64*64 + 17*64*96, MultiplyAddShare: 0},
		{Part: QFormerPart, Method: "fp32", Products: 2, ProductShare: 0.5, MultiplyAdds: (8 + 12) * 64 * 256, MultiplyAddShare: 0},
		{Part: CaptionPart, Method: "int8_rows", Products: 1, ProductShare: 1, MultiplyAdds: 12 * 64 * 64, MultiplyAddShare: 1},
	}
	former := want[2].MultiplyAdds + want[3].MultiplyAdds
	want[2].MultiplyAddShare, want[3].MultiplyAddShare = float64(want[2].MultiplyAdds)/float64(former), float64(want[3].MultiplyAdds)/float64(former)
	got := shares(model)
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
	model, err := Compile(t.Context(), plantedSource(t, "none", false, true), filepath.Join(t.TempDir(), "model"), CompileOptions{Runtime: runtime, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	shapes := tensors.Shapes(model.Config, true)
	for _, choice := range model.Quantization {
		if multiplyAdds(model.Config, shapes, choice.Layer) == 0 {
			t.Errorf("the work of %s is not known", choice.Layer)
		}
	}
}

// TestSharesOfMergedTokens counts the rows that each layer reads: the feed-forward block has what the attention before it left.
func TestSharesOfMergedTokens(t *testing.T) {
	config := plantedConfig(false) // 17 tokens
	config.Vision.Merged = 3
	shapes := tensors.Shapes(config, true)
	for layer, want := range map[string]int64{
		"vision_model.encoder.layers.0.self_attn.qkv": 17 * 3 * 96 * 96, "vision_model.encoder.layers.0.self_attn.projection": 17 * 96 * 96,
		"vision_model.encoder.layers.1.self_attn.qkv":          14 * 3 * 96 * 96,
		"qformer.encoder.layer.0.crossattention.attention.key": 17 * 64 * 96,
		"vision_model.encoder.layers.0.mlp.fc1":                14 * 96 * int64(config.Vision.IntermediateSize),
		"vision_model.encoder.layers.1.mlp.fc2":                11 * 96 * int64(config.Vision.IntermediateSize),
		"vision_model.encoder.layers.99.self_attn.qkv":         0,
	} {
		if got := multiplyAdds(config, shapes, layer); got != want {
			t.Errorf("%s: %d multiply-adds, want %d", layer, got, want)
		}
	}
}
