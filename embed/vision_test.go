package embed_test

import (
	"encoding/json"
	"math"
	"testing"

	"mekiki/embed"
	"mekiki/embed/manifest"
)

func norm(tower string, weight, bias []float32) *manifest.VisionNorm {
	return &manifest.VisionNorm{Tower: tower, Weight: weight, Bias: bias}
}

// TestVisionFrom wants tokens of encoders that differ in their last norm alone to become each other's, and no others.
func TestVisionFrom(t *testing.T) {
	first := embed.Vision{ID: "a", Norm: norm("t", []float32{2, 0.5, 0}, []float32{1, 0, 3})}
	second := embed.Vision{ID: "b", Norm: norm("t", []float32{4, 1, 0}, []float32{-1, 2, 5})}
	change, ok := second.From(first)
	if !ok {
		t.Fatal("the encoders differ in their last norm alone")
	}
	// The normalised features are 3, -2 and 7 in the first row, 0, 1 and -1 in the second.
	tokens := embed.ImageTokens{Rows: 2, Columns: 3, Values: []float32{7, -1, 3, 1, 0.5, 3}}
	got := change.Apply(tokens)
	for i, want := range []float32{11, 0, 5, -1, 3, 5} {
		if got.Values[i] != want {
			t.Errorf("value %d is %v, not %v", i, got.Values[i], want)
		}
	}
	if tokens.Values[0] != 7 || got.Rows != 2 || got.Columns != 3 {
		t.Errorf("%+v became %+v", tokens, got)
	}
	for name, other := range map[string]embed.Vision{
		"another tower":               {ID: "c", Norm: norm("u", []float32{1, 1, 1}, []float32{0, 0, 0})},
		"another width":               {ID: "c", Norm: norm("t", []float32{1}, []float32{0})},
		"no norm":                     {ID: "c"},
		"nothing":                     {},
		"a feature is hardly in them": {ID: "c", Norm: norm("t", []float32{2, 0.5, 0.01}, []float32{0, 0, 0})},
	} {
		if _, ok := second.From(other); ok {
			t.Errorf("%s: tokens were taken", name)
		}
	}
	same, ok := embed.Vision{ID: "a"}.From(embed.Vision{ID: "a"})
	if !ok || &same.Apply(tokens).Values[0] != &tokens.Values[0] {
		t.Error("tokens of the same encoder were changed")
	}
	if _, ok := (embed.Vision{}).From(embed.Vision{}); ok {
		t.Error("encoders that nobody noted are taken for equal")
	}
}

// TestVisionNormJSON reads norms again as they were written, and refuses others.
func TestVisionNormJSON(t *testing.T) {
	text, err := json.Marshal(manifest.Floats{1, -0.5, math.MaxFloat32})
	if err != nil {
		t.Fatal(err)
	}
	var again manifest.Floats
	if err := json.Unmarshal(text, &again); err != nil || len(again) != 3 || again[1] != -0.5 || again[2] != math.MaxFloat32 {
		t.Errorf("%s: %v, %v", text, again, err)
	}
	for _, bad := range []string{`"AAAA"`, `"AADAfw=="`, `"AACAfw=="`, `[1]`, `"?"`} {
		if err := json.Unmarshal([]byte(bad), &again); err == nil {
			t.Errorf("%s was read as %v", bad, again)
		}
	}
}
