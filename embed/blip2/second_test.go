package blip2

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
)

// tinySecond is a second stage of the tiny model, with files beside its weights.
type tinySecond struct {
	*checkpoint.Random
	config modelconfig.Config
	files  map[string]string
}

func (s tinySecond) Config() modelconfig.Config { return s.config }

func (s tinySecond) ReadFile(name string) ([]byte, error) {
	if content, ok := s.files[name]; ok {
		return []byte(content), nil
	}
	return nil, fs.ErrNotExist
}

func newTinySecond(t testing.TB, instructed bool) tinySecond {
	t.Helper()
	config := tinyConfig()
	config.Language = &modelconfig.Language{Architecture: modelconfig.OPT, HiddenSize: 16, Layers: 1, Heads: 2, KeyValueHeads: 2,
		HeadWidth: 8, IntermediateSize: 24, VocabularySize: 20, Words: 19, Positions: 30, Activation: "relu", NormEpsilon: 1e-5,
		Tied: true, End: []int64{3}, Instructed: instructed}
	weights, err := checkpoint.NewRandom(config, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	return tinySecond{weights, config, map[string]string{"tokenizer.json": "{}", "merges.txt": "a b", "other.txt": "no"}}
}

// TestCompileSecond compiles second stages and wants their folders to be whole, and their graphs as described.
func TestCompileSecond(t *testing.T) {
	runtime := orttest.Open(t)
	first, err := Compile(t.Context(), tinyWeights(t, false), filepath.Join(t.TempDir(), "first"), CompileOptions{Precision: manifest.Float32})
	if err != nil {
		t.Fatal(err)
	}
	for _, instructed := range []bool{false, true} {
		for _, shared := range []bool{false, true} {
			t.Run(fmt.Sprintf("instructed %v, shared %v", instructed, shared), func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "model")
				source := newTinySecond(t, instructed)
				model, err := Compile(t.Context(), source, dir, CompileOptions{Precision: manifest.Float32, SharedVision: shared})
				if err != nil {
					t.Fatal(err)
				}
				if model.Vision == "" || model.Vision != first.Vision {
					t.Errorf("vision encoders %q and %q of the same tensors", model.Vision, first.Vision)
				}
				if want := (manifest.Capabilities{Answer: true}); model.Capabilities() != want {
					t.Errorf("it can %v", model.Capabilities())
				}
				want := []string{"embeddings.bin", "image_states.onnx", "language_input.onnx", "language_step.bin", "language_step.onnx",
					"merges.txt", "model.json", "qformer.bin", "tokenizer.json"}
				if instructed {
					want = append(want, "vocab.txt")
				}
				if !shared {
					want = append(want, "vision.bin", "vision.onnx")
				}
				slices.Sort(want)
				if got := folderNames(t, dir); !slices.Equal(got, want) {
					t.Errorf("files are %v, want %v", got, want)
				}
				graphs := Family().Describe(model).Graphs
				for _, graph := range graphs {
					session := openGraph(t, runtime, filepath.Join(dir, graph.File))
					if !sameValues(session.Inputs(), graph.Inputs) || !sameValues(session.Outputs(), graph.Outputs) {
						t.Errorf("%s takes %v and gives %v; described as %v and %v", graph.File, session.Inputs(), session.Outputs(), graph.Inputs, graph.Outputs)
					}
				}
				if again, err := manifest.Read(dir); err != nil || again.Fingerprint != model.Fingerprint || len(graphs) < 3 {
					t.Errorf("read again: %v, %d graphs", err, len(graphs))
				}
			})
		}
	}
}

// TestCompileSecondFails wants what a second stage lacks to be named.
func TestCompileSecondFails(t *testing.T) {
	for name, change := range map[string]func(*tinySecond){
		"no tokenizer": func(s *tinySecond) { delete(s.files, "tokenizer.json") },
		"multiple of 8": func(s *tinySecond) {
			s.config.Language.Heads, s.config.Language.KeyValueHeads, s.config.Language.HeadWidth = 4, 4, 4
		},
		"architecture":  func(s *tinySecond) { s.config.Language.Architecture = "mamba" },
		"has no tensor": func(s *tinySecond) { s.config.Language.Layers = 2 },
		"activation":    func(s *tinySecond) { s.config.Language.Activation = "tanh" },
	} {
		source := newTinySecond(t, false)
		change(&source)
		_, err := Compile(t.Context(), source, filepath.Join(t.TempDir(), "model"), CompileOptions{Precision: manifest.Float32})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// sameValues compares inputs or outputs, whose order in the file does not count.
func sameValues(a, b []ort.Value) bool {
	text := func(values []ort.Value) []string {
		var list []string
		for _, value := range values {
			list = append(list, value.String())
		}
		slices.Sort(list)
		return list
	}
	return slices.Equal(text(a), text(b))
}
