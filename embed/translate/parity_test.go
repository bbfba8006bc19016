package translate_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/checkpoint"
	"mekiki/embed/decode"
	"mekiki/embed/lm"
	"mekiki/embed/manifest"
	"mekiki/embed/marian"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/runner"
	tokenizers "mekiki/embed/tokenize/language"
	"mekiki/embed/translate"
)

// parityTolerance is the largest absolute error allowed between our graphs and the reference, both in float32.
const parityTolerance = 1e-4

// reference is what train/parity/marian.py wrote for one random model.
type reference struct {
	Cases []struct {
		Text     string          `json:"text"`
		IDs      []int64         `json:"ids"`
		Encoded  blip2test.Array `json:"encoded"`
		Taught   []int64         `json:"taught"`
		Logits   blip2test.Array `json:"logits"`
		Greedy   []int64         `json:"greedy"`
		Beam     []int64         `json:"beam"`
		BeamText string          `json:"beam_text"`
	} `json:"cases"`
	Encodings []struct {
		Text string  `json:"text"`
		IDs  []int64 `json:"ids"`
	} `json:"encodings"`
	Decodings []struct {
		IDs  []int64 `json:"ids"`
		Text string  `json:"text"`
	} `json:"decodings"`
}

// models are the folders of the references.
var models = []string{"small", "relu"}

func readReference(t testing.TB, name string) reference {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name, "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// compile makes a model of a reference's checkpoint.
func compile(t testing.TB, name string, precision manifest.Precision) string {
	t.Helper()
	source, err := checkpoint.Open(t.Context(), checkpoint.Options{Paths: []string{filepath.Join("testdata", name)}})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	dir := filepath.Join(t.TempDir(), name)
	if _, err := marian.Compile(t.Context(), source, dir, marian.Options{Precision: precision, Runtime: orttest.Open(t), Threads: 1}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t testing.TB, dir string) *translate.Engine {
	t.Helper()
	engine, err := translate.Open(t.Context(), runner.Options{ModelDir: dir, Families: []manifest.Family{marian.Family()}, Runtime: orttest.Open(t), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

func TestTokenizer(t *testing.T) {
	for _, name := range models {
		tokenizer, err := tokenizers.Open(func(file string) ([]byte, error) { return os.ReadFile(filepath.Join("testdata", name, file)) })
		if err != nil {
			t.Fatal(err)
		}
		r := readReference(t, name)
		wrong := 0
		for _, one := range r.Encodings {
			if got := tokenizer.Encode(one.Text, 0).IDs; !slices.Equal(got, one.IDs) {
				if wrong++; wrong < 12 {
					t.Errorf("%s: %q: %v, want %v", name, one.Text, got, one.IDs)
				}
			}
		}
		for _, one := range r.Decodings {
			if got := tokenizer.Decode(one.IDs); got != one.Text {
				t.Errorf("%s: %v: %q, want %q", name, one.IDs, got, one.Text)
			}
		}
		t.Logf("%s: %d of %d texts differ", name, wrong, len(r.Encodings))
	}
}

// TestTexts compares what is written, greedily and by beams.
func TestTexts(t *testing.T) {
	for _, name := range models {
		t.Run(name, func(t *testing.T) {
			engine := open(t, compile(t, name, manifest.Float32))
			if from, to := engine.Languages(); from != "ja" || to != "en" {
				t.Errorf("from %q into %q", from, to)
			}
			r := readReference(t, name)
			tokenizer, err := tokenizers.Open(func(file string) ([]byte, error) { return os.ReadFile(filepath.Join("testdata", name, file)) })
			if err != nil {
				t.Fatal(err)
			}
			check := func(how string, options decode.Options, translate func(context.Context, []string) ([]string, error), want func(i int) string) {
				options.MaximumTokens = 20
				engine.Decoding = options
				var texts []string
				for _, one := range r.Cases {
					texts = append(texts, one.Text)
				}
				got, err := translate(t.Context(), texts)
				if err != nil {
					t.Fatal(err)
				}
				for i := range got {
					if got[i] != want(i) {
						t.Errorf("%s, %q: %q, want %q", how, texts[i], got[i], want(i))
					}
				}
			}
			check("greedy", decode.Options{Method: decode.Greedy}, engine.Translate, func(i int) string { return tokenizer.Decode(r.Cases[i].Greedy) })
			check("beams", decode.Options{Method: decode.Beam, Beams: 5}, engine.Translate, func(i int) string { return r.Cases[i].BeamText })
			check("queries", decode.Options{Method: decode.Beam, Beams: 5}, engine.TranslateQueries, func(i int) string { return tokenizer.Decode(r.Cases[i].Greedy) })
		})
	}
}

// TestLogits compares the logits after each token of a text that is given.
func TestLogits(t *testing.T) {
	for _, name := range models {
		t.Run(name, func(t *testing.T) {
			model, _, err := runner.Open(t.Context(), runner.Options{ModelDir: compile(t, name, manifest.Float32),
				Families: []manifest.Family{marian.Family()}, Runtime: orttest.Open(t), Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer model.Close()
			writer, err := lm.New(model)
			if err != nil {
				t.Fatal(err)
			}
			defer writer.Close()
			worst := 0.0
			for _, one := range readReference(t, name).Cases {
				texts, logits, err := writer.Start(t.Context(), []lm.Prompt{{Tokens: one.IDs}}, 1, len(one.Taught), true)
				want := one.Logits.Values(t)
				for at := range one.Taught {
					if at > 0 {
						logits, err = texts.Step(t.Context(), one.Taught[at:at+1])
					}
					if err != nil {
						t.Fatal(err)
					}
					for i, value := range logits {
						worst = max(worst, math.Abs(float64(value-want[at*len(logits)+i])))
					}
				}
			}
			t.Logf("largest error of a logit: %.2g", worst)
			if !(worst <= parityTolerance) {
				t.Errorf("a logit differs by %g", worst)
			}
		})
	}
}
