package models_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/blip2"
	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/models"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/pixels"
	"mekiki/embed/runner"
)

// builtinFingerprint is that of the built-in model in float32, whose graphs are the same on every processor.
const builtinFingerprint = "315cbcb63b1c7bdc89d0edafd7c21294ca8fcdc9d9e94713a5fc994ad83f5d49"

// The second stage inside the program answers from the image tokens of the first.
func TestBuiltinAnswers(t *testing.T) {
	runtime := orttest.Open(t)
	options := models.Options{Dir: t.TempDir(), Precision: manifest.Float32, Runtime: runtime}
	first, err := models.Builtin(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if first.Manifest.Fingerprint != builtinFingerprint {
		t.Errorf("the built-in model's fingerprint is %s: every library would have to be indexed again; if that is meant, say so in CHANGELOG.md", first.Manifest.Fingerprint)
	}
	// As a build before there were second stages left it.
	withoutVision(t, first.Dir)
	if first, err = models.Builtin(t.Context(), options); err != nil || first.Manifest.Vision == "" {
		t.Fatalf("a model without the hash of its vision encoder is not compiled again: %v", err)
	}
	second, err := models.BuiltinAnswers(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if second.Manifest.Vision != first.Manifest.Vision || !second.Manifest.Capabilities().Answer {
		t.Fatalf("vision encoders %q and %q, capabilities %v", second.Manifest.Vision, first.Manifest.Vision, second.Manifest.Capabilities())
	}
	opening := runner.Options{ModelDir: first.Dir, Families: []manifest.Family{blip2.Family()}, Runtime: runtime}
	engine, err := embed.Open(t.Context(), opening)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	opening.ModelDir = second.Dir
	answers, err := answering.Open(t.Context(), opening)
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Close()
	content, err := os.ReadFile(filepath.Join("..", "builtin", "gallery", "images", "airplane-bus-0073.webp"))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := pixels.Decode(t.Context(), content, pixels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := engine.ImageTokens(t.Context(), []*pixels.Image{picture})
	if err != nil {
		t.Fatal(err)
	}
	states, err := answers.States(t.Context(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	got, err := answers.Generate(t.Context(), []answering.Prompt{{States: states[0], Text: "Question: is there a bus? Short answer:"}}, decode.Options{}, nil)
	if err != nil || len(got[0]) != 1 || got[0][0].Text == "" || !got[0][0].Ended {
		t.Errorf("Generate: %+v, %v", got, err)
	}
}

// withoutVision takes the hash of the vision encoder out of a model's manifest, which its fingerprint does not cover.
func withoutVision(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, manifest.FileName)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(content, &fields); err != nil {
		t.Fatal(err)
	}
	if _, there := fields["vision"]; !there {
		t.Fatal("the manifest has no member vision")
	}
	delete(fields, "vision")
	if content, err = json.Marshal(fields); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
