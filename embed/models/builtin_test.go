package models_test

import (
	"testing"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/manifest"
	"mekiki/embed/models"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/runner"
)

// TestBuiltin compiles the model inside the program as a first use does, and runs
// it.
func TestBuiltin(t *testing.T) {
	runtime := orttest.Open(t)
	options := models.Options{Dir: t.TempDir(), Precision: manifest.Int8, Runtime: runtime}
	model, err := models.Builtin(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if check := model.Manifest.SelfCheck; check == nil || check.MeanCosine < 0.99 || check.TextMeanCosine < 0.99 {
		t.Errorf("self-check: %+v", check)
	}
	if len(model.Manifest.Calibration) == 0 || !model.Manifest.Capabilities().Caption {
		t.Errorf("calibration %q, captions %v", model.Manifest.Calibration, model.Manifest.Capabilities().Caption)
	}
	engine, err := embed.Open(t.Context(), runner.Options{ModelDir: model.Dir, Families: []manifest.Family{blip2.Family()}, Runtime: runtime})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	if vectors, err := engine.TextVectors(t.Context(), []string{"a red circle"}); err != nil || len(vectors[0]) != engine.Space().Width {
		t.Errorf("TextVectors: %v, %v", vectors, err)
	}
}
