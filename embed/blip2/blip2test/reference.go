// Package blip2test reads what the reference implementation gave for random models.
package blip2test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"mekiki/embed/modelconfig"
)

// Reference is what train/parity/reference.py wrote for one random model.
type Reference struct {
	Name         string
	Seed         uint64
	Config       modelconfig.Config
	Untied       bool // the language-model head has a decoder of its own
	Images       int
	TextLengths  []int     `json:"text_lengths"`
	TaughtIDs    []int64   `json:"taught_ids"`
	ImageTokens  Array     `json:"image_tokens"`
	ImageStates  Array     `json:"image_states"`
	Parts        Array     `json:"parts"`
	TextStates   Array     `json:"text_states"`
	TextVectors  Array     `json:"text_vectors"`
	Contrast     Array     `json:"contrast"`
	MatchStates  Array     `json:"match_states"`
	Match        Array     `json:"match"`
	TaughtLogits Array     `json:"taught_logits"`
	Captions     [][]int64 `json:"captions"`
}

// Array is a float32 tensor in JSON.
type Array struct {
	Shape  []int64
	Packed string `json:"float32"`
}

// Values are the array's values, row by row.
func (a Array) Values(t testing.TB) []float32 {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(a.Packed)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, len(raw)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return values
}

// ReadReferences reads every reference of a folder, of which there must be one.
func ReadReferences(t testing.TB, folder string) []Reference {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no reference outputs: %v", err)
	}
	references := make([]Reference, len(paths))
	for i, path := range paths {
		references[i] = ReadReference(t, path)
	}
	return references
}

// ReadReference reads one reference.
func ReadReference(t testing.TB, path string) Reference {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var reference Reference
	if err := json.Unmarshal(content, &reference); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return reference
}
