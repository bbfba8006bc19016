package blip2

import (
	"path/filepath"
	"strings"
	"testing"

	"mekiki/embed/ort/orttest"
	"mekiki/embed/quantize"
)

// TestPlanted compiles small planted checkpoints: each must pass its check, and what one part loses must not cost the
// other its speed.
func TestPlanted(t *testing.T) {
	runtime := orttest.Open(t)
	for _, kind := range []string{"none", "massive", "gain", "qformer", plantedTexts} {
		t.Run(kind, func(t *testing.T) {
			source := plantedSource(t, kind, false, kind == "none")
			model, err := Compile(t.Context(), source, filepath.Join(t.TempDir(), "model"), CompileOptions{Runtime: runtime, Threads: 1, Logger: debugLogger()})
			if err != nil {
				t.Fatal(err)
			}
			check := *model.SelfCheck
			t.Logf("vision %s; query transformer %s; %+v", methodCounts(model.Quantization, true), methodCounts(model.Quantization, false), check)
			if !check.Good() {
				t.Errorf("loss %.2f of what may be lost: %+v", check.Loss(), check)
			}
			var vision, former, floatVision, floatFormer int
			for _, choice := range model.Quantization {
				float := choice.Method == string(quantize.Float32)
				switch {
				case strings.HasPrefix(choice.Layer, "vision_model."):
					vision++
					if float {
						floatVision++
					}
				default:
					former++
					if float {
						floatFormer++
					}
				}
			}
			// What "qformer" has also repeats many times what little the vision encoder loses.
			if kind != "gain" && kind != "qformer" && floatVision > 0 {
				t.Errorf("%d of %d vision products are in float32", floatVision, vision)
			}
			if kind != "qformer" && kind != plantedTexts && floatFormer > 0 {
				t.Errorf("%d of %d products of the query transformer are in float32", floatFormer, former)
			}
		})
	}
}
