package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/modelverbs"
	"mekiki/embed/ort/orttest"
)

// tinyModel compiles a checkpoint of a few thousand random weights, with a
// captioning head, and returns the flags that open it and a picture.
func tinyModel(t *testing.T) (flags []string, picture string) {
	t.Helper()
	library := orttest.Open(t).LibraryPath()
	offlineEnvironment(t, "http://127.0.0.1:1")
	const folder = "../../embed/checkpoint/testdata/"
	status, out, errors := runForTest(t, "import", folder+"lavis-whole/blip2_whole.pth", folder+"lavis-whole/config.json",
		"--vocabulary", folder+"hf-f32/vocab.txt", "--precision", "fp32", "--name", "tiny")
	if status != cli.ExitOK {
		t.Fatalf("status %d: %s%s", status, out, errors)
	}
	picture = filepath.Join(t.TempDir(), "picture.png")
	var content bytes.Buffer
	if err := png.Encode(&content, image.NewGray(image.Rect(0, 0, 20, 10))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(picture, content.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{"--model", "tiny", "--runtime", library, "--quiet"}, picture
}

func TestEmbedMatchCaption(t *testing.T) {
	flags, picture := tinyModel(t)
	do := func(wantStatus int, arguments ...string) (out, errors string) {
		t.Helper()
		status, out, errors := runForTest(t, append(arguments, flags...)...)
		if status != wantStatus {
			t.Fatalf("%v: status %d, want %d: %s%s", arguments, status, wantStatus, out, errors)
		}
		return out, errors
	}
	var image, text modelverbs.Embedded
	out, errors := do(cli.ExitPartial, "embed", "missing.png", picture, "--text", "a cat")
	decoder := json.NewDecoder(strings.NewReader(out))
	for _, into := range []*modelverbs.Embedded{&image, &text} {
		if err := decoder.Decode(into); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
	}
	if image.Image != picture || text.Text == nil || *text.Text != "a cat" || image.Space == "" || image.Space != text.Space || len(image.Parts) == 0 || !strings.Contains(errors, "missing.png") {
		t.Errorf("%s%s", out, errors)
	}
	var matched struct{ Matches []modelverbs.Judged }
	out, _ = do(cli.ExitOK, "match", picture, "a cat", "a dog", "--json")
	if err := json.Unmarshal([]byte(out), &matched); err != nil || len(matched.Matches) != 2 {
		t.Fatalf("%v in %s", err, out)
	}
	first := matched.Matches[0]
	similarity := float32(math.Inf(-1))
	for _, part := range image.Parts {
		var sum float32
		for i, value := range part {
			sum += value * text.Vector[i]
		}
		similarity = max(similarity, sum)
	}
	if math.Abs(float64(similarity-first.Similarity)) > 1e-6 {
		t.Errorf("match says similarity %g, embed's vectors %g", first.Similarity, similarity)
	}
	probability := 1 / (1 + math.Exp(float64(first.Logits[0]-first.Logits[1])))
	if math.Abs(probability-float64(first.Probability)) > 1e-6 {
		t.Errorf("probability %g of logits %v", first.Probability, first.Logits)
	}
	var described modelverbs.Captioned
	out, _ = do(cli.ExitOK, "caption", picture, "--json", "--count", "2", "--max-length", "6")
	if err := json.Unmarshal([]byte(out), &described); err != nil || described.Image != picture || len(described.Captions) == 0 || described.Captions[0].Tokens < 1 {
		t.Errorf("%v in %s", err, out)
	}
	do(cli.ExitOK, "caption", picture, picture, "--method", "nucleus", "--seed", "3")
	_, errors = do(cli.ExitUsage, "caption", picture, "--method", "guess")
	if !strings.Contains(errors, "guess") {
		t.Error(errors)
	}
	do(cli.ExitUsage, "match", picture)
	do(cli.ExitUsage, "embed")
	do(cli.ExitError, "match", "missing.png", "a cat")
	do(cli.ExitUsage, "embed", picture, "--text", "a cat", "--output", "both.npy")
}

func TestEmbedWritesNumPyArrays(t *testing.T) {
	flags, picture := tinyModel(t)
	path := filepath.Join(t.TempDir(), "parts.npy")
	status, out, errors := runForTest(t, append([]string{"embed", picture, picture, "--output", path}, flags...)...)
	if status != cli.ExitOK {
		t.Fatalf("status %d: %s%s", status, out, errors)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	length := 10 + int(binary.LittleEndian.Uint16(content[8:]))
	header := string(content[:length])
	if !strings.HasPrefix(header, "\x93NUMPY\x01\x00") || length%64 != 0 || !strings.Contains(header, "'descr': '<f4'") || !strings.Contains(header, "'shape': (2, ") {
		t.Errorf("header %q", header)
	}
	values := content[length:]
	if half := len(values) / 2; len(values) == 0 || !bytes.Equal(values[:half], values[half:]) {
		t.Errorf("%d bytes of values; one image twice gives other vectors", len(values))
	}
}
