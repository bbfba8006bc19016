package embed_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/manifest"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/runner"
)

// TestEngineEqualsTheReference runs the engine on the reference's image tokens:
// parts within the blip2test.Tolerance, greedy captions token by token.
func TestEngineEqualsTheReference(t *testing.T) {
	runtime := orttest.Open(t)
	for _, want := range blip2test.ReadReferences(t, "blip2/testdata/parity") {
		t.Run(want.Name, func(t *testing.T) {
			want.Config.Preprocess = blip2test.Tiny().Preprocess // the references begin behind it
			want.Config.Preprocess.ImageSize = want.Config.Vision.ImageSize
			dir := compileRandom(t, want.Config, want.Seed, true, blip2.CompileOptions{Precision: manifest.Float32})
			compareWithReference(t, openEngine(t, runner.Options{ModelDir: dir, Runtime: runtime}), want)
		})
	}
}

func compareWithReference(t *testing.T, engine *embed.Engine, want blip2test.Reference) {
	t.Helper()
	shape := want.ImageTokens.Shape
	rows, columns := int(shape[1]), int(shape[2])
	values := want.ImageTokens.Values(t)
	tokens := make([]embed.ImageTokens, shape[0])
	for i := range tokens {
		tokens[i] = embed.ImageTokens{Rows: rows, Columns: columns, Values: values[i*rows*columns : (i+1)*rows*columns]}
	}
	parts, err := engine.ImageParts(t.Context(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	worst, expected := 0.0, want.Parts.Values(t)
	for i, image := range parts {
		for j, value := range image.Values {
			worst = max(worst, math.Abs(float64(value-expected[i*len(image.Values)+j])))
		}
	}
	if !(worst <= blip2test.Tolerance) {
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
