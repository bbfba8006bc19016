package embed_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/ort/orttest"
)

// tolerance is the largest absolute error allowed against the reference, in float32.
const tolerance = 1e-4

// reference is what the reference implementation gave for one random model; see
// embed/blip2 and train/parity.
type reference struct {
	Seed        uint64
	Config      checkpoint.Config
	ImageTokens array `json:"image_tokens"`
	Parts       array
	Captions    [][]int64
	Untied      bool // the captions come from a decoder that Random does not make
}

type array struct {
	Shape  []int
	Packed string `json:"float32"`
}

func (a array) values(t *testing.T) []float32 {
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

// TestEngineEqualsTheReference runs the engine on the reference's image tokens:
// parts within the tolerance, greedy captions token by token.
func TestEngineEqualsTheReference(t *testing.T) {
	runtime := orttest.Open(t)
	paths, err := filepath.Glob("blip2/testdata/parity/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no reference outputs: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var want reference
			if err := json.Unmarshal(content, &want); err != nil {
				t.Fatal(err)
			}
			want.Config.Preprocess = tiny().Preprocess // the references begin behind it
			want.Config.Preprocess.ImageSize = want.Config.Vision.ImageSize
			weights, err := checkpoint.NewRandom(want.Config, want.Seed, true)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "model")
			if _, err := blip2.Compile(t.Context(), weights, dir, blip2.CompileOptions{Precision: manifest.Float32}); err != nil {
				t.Fatal(err)
			}
			compareWithReference(t, openEngine(t, embed.Options{ModelDir: dir, Runtime: runtime}), want)
		})
	}
}

func compareWithReference(t *testing.T, engine *embed.Engine, want reference) {
	t.Helper()
	count, rows, columns := want.ImageTokens.Shape[0], want.ImageTokens.Shape[1], want.ImageTokens.Shape[2]
	values := want.ImageTokens.values(t)
	tokens := make([]embed.ImageTokens, count)
	for i := range tokens {
		tokens[i] = embed.ImageTokens{Rows: rows, Columns: columns, Values: values[i*rows*columns : (i+1)*rows*columns]}
	}
	parts, err := engine.ImageParts(t.Context(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	worst, expected := 0.0, want.Parts.values(t)
	for i, image := range parts {
		for j, value := range image.Values {
			worst = max(worst, math.Abs(float64(value-expected[i*len(image.Values)+j])))
		}
	}
	if !(worst <= tolerance) {
		t.Errorf("parts differ by %g", worst)
	}
	t.Logf("worst error of the parts: %g", worst)
	if len(want.Captions) == 0 || want.Untied {
		return
	}
	captions, err := engine.CaptionImages(t.Context(), tokens, embed.CaptionOptions{MaximumLength: len(want.Captions[0])})
	if err != nil {
		t.Fatal(err)
	}
	for i, ids := range want.Captions {
		if got := captions[i][0].Text; got != spelled(ids, want.Config.QFormer.VocabularySize) {
			t.Errorf("caption %d is %q, want ids %v", i, got, ids)
		}
	}
}

// spelled writes token ids as the random weights' vocabulary spells them, up to
// the end token.
func spelled(ids []int64, vocabulary int) string {
	const separator, lastSpecial = 3, 4 // [SEP], [MASK]
	if end := slices.Index(ids, separator); end >= 0 {
		ids = ids[:end]
	}
	var words []string
	for _, id := range ids {
		if id > lastSpecial && id != int64(vocabulary-1) {
			words = append(words, fmt.Sprintf("word%d", id))
		}
	}
	return strings.Join(words, " ")
}
