package answering_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/blip2"
	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/checkpoint"
	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/pixels"
	"mekiki/embed/priority"
	"mekiki/embed/runner"
	"mekiki/internal/hint"
)

// readSecond reads one reference.
func readSecond(t testing.TB, name string) blip2test.LanguageReference {
	t.Helper()
	references := blip2test.ReadLanguageReferences(t, "../blip2/testdata/language")
	at := slices.IndexFunc(references, func(r blip2test.LanguageReference) bool { return r.Name == name })
	if at < 0 {
		t.Fatalf("no reference %s", name)
	}
	return references[at]
}

func TestAnswersAreToldAsTheyAreWritten(t *testing.T) {
	for _, name := range []string{"opt", "t5"} {
		s := openSecondStage(t, readSecond(t, name), runner.Options{})
		for _, options := range []decode.Options{{}, {Method: decode.Nucleus, Seed: 5, MaximumTokens: 7}} {
			told := make([]string, len(s.prompts))
			got, err := s.Generate(t.Context(), s.prompts, options, func(prompt int, piece string) error {
				if piece == "" {
					t.Error("an empty piece")
				}
				told[prompt] += piece
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			silent, err := s.Generate(t.Context(), s.prompts, options, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, texts := range got {
				if len(texts) != 1 || texts[0].Text != told[i] || silent[i][0] != texts[0] {
					t.Errorf("%s, prompt %d: %+v, told %q, without telling %+v", name, i, texts, told[i], silent[i])
				}
				if texts[0].Ended != (texts[0].Tokens > len(strings.Fields(texts[0].Text))) {
					t.Errorf("%s, prompt %d: %+v", name, i, texts[0])
				}
			}
		}
		stop := errors.New("stop")
		if _, err := s.Generate(t.Context(), s.prompts, decode.Options{}, func(int, string) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("%s: a failing callback: %v", name, err)
		}
		for _, options := range []decode.Options{{Method: decode.Beam}, {Method: decode.Nucleus, Count: 2}} {
			if _, err := s.Generate(t.Context(), s.prompts, options, func(int, string) error { return nil }); err == nil {
				t.Errorf("%s: pieces of several texts were accepted", name)
			}
		}
	}
}

// TestDrawsDoNotDependOnOthers wants several draws for each of several prompts, which end at different times, to be those
// of each prompt alone.
func TestDrawsDoNotDependOnOthers(t *testing.T) {
	for _, name := range []string{"llama-grouped", "t5", "instruct-t5"} {
		s := openSecondStage(t, readSecond(t, name), runner.Options{})
		for seed := range uint64(6) {
			options := decode.Options{Method: decode.Nucleus, TopP: 1, Count: 5, Seed: seed, MaximumTokens: 16}
			together, err := s.Generate(t.Context(), s.prompts, options, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range s.prompts {
				alone, err := s.Generate(t.Context(), s.prompts[i:i+1], options, nil)
				if err != nil {
					t.Fatal(err)
				}
				same := slices.EqualFunc(alone[0], together[i], func(a, b answering.Generated) bool {
					return a.Text == b.Text && a.Tokens == b.Tokens && math.Abs(float64(a.LogProbability-b.LogProbability)) < blip2test.Tolerance
				})
				if !same {
					t.Errorf("%s, seed %d, prompt %d: %+v, alone %+v", name, seed, i, together[i], alone[0])
				}
			}
		}
	}
}

func TestScoresInGroups(t *testing.T) {
	s := openSecondStage(t, readSecond(t, "opt"), runner.Options{})
	var texts []string
	for i := range 70 { // more than are scored side by side, of several lengths
		texts = append(texts, strings.TrimSpace(strings.Repeat(fmt.Sprint(4+i, " "), i%5)))
	}
	all, err := s.Score(t.Context(), s.prompts[1], texts)
	if err != nil || len(all) != len(texts) {
		t.Fatalf("%d scores: %v", len(all), err)
	}
	for i, text := range texts {
		one, err := s.Score(t.Context(), s.prompts[1], []string{text})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(float64(one[0]-all[i])) > blip2test.Tolerance {
			t.Errorf("%q: %g among others, %g alone", text, all[i], one[0])
		}
	}
	if none, err := s.Score(t.Context(), s.prompts[1], nil); err != nil || len(none) != 0 {
		t.Errorf("no continuations: %v, %v", none, err)
	}
	// What was written has the score that it was written with.
	written, err := s.Generate(t.Context(), s.prompts[1:2], decode.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := written[0][0]; got.Ended {
		score, err := s.Score(t.Context(), s.prompts[1], []string{got.Text})
		if err != nil || math.Abs(float64(score[0]-got.LogProbability)) > blip2test.Tolerance {
			t.Errorf("score %v of %+v: %v", score, got, err)
		}
	}
}

func TestPromptsAreBounded(t *testing.T) {
	s := openSecondStage(t, readSecond(t, "opt"), runner.Options{}) // of 64 positions, 5 of which are the image's
	prompt := func(tokens int) []answering.Prompt {
		return []answering.Prompt{{States: s.prompts[0].States, Text: strings.TrimSpace(strings.Repeat("7 ", tokens))}}
	}
	got, err := s.Generate(t.Context(), prompt(50), decode.Options{MinimumTokens: 20}, nil)
	if err != nil || got[0][0].Tokens != 9 || got[0][0].Ended {
		t.Errorf("a prompt that leaves room for 9 tokens: %+v, %v", got, err)
	}
	for what, prompts := range map[string][]answering.Prompt{
		"as long as the model's positions": prompt(59), "longer": prompt(500), "very long": {{States: s.prompts[0].States, Text: strings.Repeat(" ", 1<<20)}},
	} {
		_, err := s.Generate(t.Context(), prompts, decode.Options{}, nil)
		if !errors.Is(err, answering.ErrPrompt) || hint.Of(err) == "" {
			t.Errorf("a prompt %s: %v", what, err)
		}
		if _, err := s.Score(t.Context(), prompts[0], []string{"3"}); !errors.Is(err, answering.ErrPrompt) {
			t.Errorf("scores after a prompt %s: %v", what, err)
		}
	}
	if _, err := s.Score(t.Context(), prompt(50)[0], []string{"3", strings.Repeat("3 ", 11)}); !errors.Is(err, answering.ErrPrompt) {
		t.Errorf("a continuation that has no room: %v", err)
	}
	if _, err := s.Generate(t.Context(), []answering.Prompt{{}}, decode.Options{}, nil); err == nil {
		t.Error("neither an image nor a text was accepted")
	}
	if _, err := s.Generate(t.Context(), []answering.Prompt{{States: answering.ImageStates{Rows: 1, Columns: 1, Values: []float32{1}}, Text: "7"}}, decode.Options{}, nil); err == nil {
		t.Error("states of another model were accepted")
	}
	if _, err := s.States(t.Context(), []embed.ImageTokens{{Rows: 1, Columns: 1, Values: []float32{1}}}); err == nil {
		t.Error("image tokens of another model were accepted")
	}
	if _, err := s.Generate(t.Context(), prompt(1), decode.Options{TopP: 2}, nil); err == nil {
		t.Error("bad options were accepted")
	}
	if _, err := s.Generate(t.Context(), []answering.Prompt{{States: s.prompts[0].States, Text: "999"}}, decode.Options{}, nil); err == nil {
		t.Error("a token outside the vocabulary was accepted")
	}
}

func TestAnswerersSayWhatTheyCan(t *testing.T) {
	runtime, reference := orttest.Open(t), readSecond(t, "t5")
	families := []manifest.Family{numberFamily()}
	for _, shared := range []bool{true, false} {
		dir := compileSecond(t, reference, blip2.CompileOptions{Precision: manifest.Float32, SharedVision: shared})
		e := openAnswerer(t, runner.Options{ModelDir: dir})
		model := e.AnswerModel()
		if model.OwnVision == shared || model.Vision.ID == "" || model.Vision.Norm == nil || model.Fingerprint == "" || model.Name != "t5" {
			t.Errorf("shared %v: %+v", shared, model)
		}
		if err := e.Warm(t.Context()); err != nil {
			t.Error(err)
		}
		picture := &pixels.Image{Width: 30, Height: 20, Pix: make([]byte, 3*30*20)}
		tokens, err := e.ImageTokens(t.Context(), []*pixels.Image{picture})
		if shared {
			if !errors.Is(err, embed.ErrNoVision) {
				t.Errorf("image tokens without a vision encoder: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if states, err := e.States(t.Context(), tokens); err != nil || states[0].Rows != reference.Config.QueryTokens {
			t.Errorf("states: %v", err)
		}
		if _, err := embed.Open(t.Context(), runner.Options{ModelDir: dir, Families: families, Runtime: runtime}); !errors.Is(err, embed.ErrNoVectors) || hint.Of(err) == "" {
			t.Errorf("a second stage as a first one: %v", err)
		}
	}
	weights, err := checkpoint.NewRandom(blip2test.Tiny(), 7, false)
	if err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(t.TempDir(), "model")
	if _, err := blip2.Compile(t.Context(), weights, first, blip2.CompileOptions{Precision: manifest.Float32}); err != nil {
		t.Fatal(err)
	}
	if _, err := answering.Open(t.Context(), runner.Options{ModelDir: first, Families: families, Runtime: runtime}); !errors.Is(err, answering.ErrNoAnswers) || hint.Of(err) == "" {
		t.Errorf("a first stage as a second one: %v", err)
	}
}

// TestStatesSideBySide wants the same states of images that are read at once as of each alone; under the race detector, that
// the runs share nothing.
func TestStatesSideBySide(t *testing.T) {
	reference := readSecond(t, "t5")
	s := openSecondStage(t, reference, runner.Options{Threads: 4})
	rows, columns := reference.Config.Vision.Tokens(), reference.Config.Vision.HiddenSize
	tokens := make([]embed.ImageTokens, 256)
	for i := range tokens {
		tokens[i] = embed.ImageTokens{Rows: rows, Columns: columns, Values: make([]float32, rows*columns)}
		for j := range tokens[i].Values {
			tokens[i].Values[j] = float32((i+1)*(j%7)) / 10
		}
	}
	together, err := s.States(t.Context(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tokens {
		alone, err := s.States(t.Context(), tokens[i:i+1])
		if err != nil || !slices.Equal(alone[0].Values, together[i].Values) {
			t.Errorf("image %d: other states beside others, %v", i, err)
		}
	}
}

// TestLongRunsTakeAllThreads wants the same texts from a model whose steps run on one thread for one text and on several for many beams.
func TestLongRunsTakeAllThreads(t *testing.T) {
	reference := readSecond(t, "t5")
	family := numberFamily()
	describe := family.Describe
	family.Describe = func(m manifest.Manifest) manifest.Description {
		description := describe(m)
		for i := range description.Graphs {
			description.Graphs[i].Work = 45e6 // of one position: six are a little less than what makes a run long
		}
		return description
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := openSecondStage(t, reference, runner.Options{Families: []manifest.Family{family}, Threads: 2, Logger: logger})
	plain := openSecondStage(t, reference, runner.Options{Threads: 2})
	for _, options := range []decode.Options{{}, {Method: decode.Beam, Beams: 8, Count: 2}} {
		got, err := s.Generate(t.Context(), s.prompts[:1], options, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := plain.Generate(t.Context(), s.prompts[:1], options, nil)
		if err != nil || got[0][0].Text != want[0][0].Text {
			t.Errorf("%+v, want %+v, %v", got, want, err)
		}
	}
	for _, threads := range []int{1, 2} {
		if want := fmt.Sprintf("file=%s threads=%d ", manifest.LanguageStepFile, threads); !strings.Contains(log.String(), want) {
			t.Errorf("no %q in\n%s", want, log.String())
		}
	}
}

// TestAnswersSideBySide asks from many goroutines, some of which can wait and some of which are stopped.
func TestAnswersSideBySide(t *testing.T) {
	s := openSecondStage(t, readSecond(t, "t5"), runner.Options{Threads: 3})
	want, err := s.Generate(t.Context(), s.prompts, decode.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"4 5", "6"}
	scores, err := s.Score(t.Context(), s.prompts[0], texts)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for worker := range 6 {
		group.Go(func() {
			for range 3 {
				ctx := t.Context()
				if worker%2 == 0 {
					ctx = priority.Background(ctx)
				}
				if got, err := s.Generate(ctx, s.prompts, decode.Options{}, nil); err != nil || !slices.EqualFunc(got, want, slices.Equal) {
					t.Errorf("%+v, %v; want %+v", got, err, want)
				}
				if got, err := s.Score(ctx, s.prompts[0], texts); err != nil || !slices.Equal(got, scores) {
					t.Errorf("%v, %v; want %v", got, err, scores)
				}
				stopped, cancel := context.WithCancel(ctx)
				_, err := s.Generate(stopped, s.prompts[:1], decode.Options{MinimumTokens: 5}, func(int, string) error {
					cancel()
					return nil
				})
				if cancel(); !errors.Is(err, context.Canceled) {
					t.Errorf("a stopped answer: %v", err)
				}
			}
		})
	}
	group.Wait()
}

func TestAnswerersClose(t *testing.T) {
	s := openSecondStage(t, readSecond(t, "opt"), runner.Options{})
	var group sync.WaitGroup
	begun := make(chan struct{})
	group.Go(func() {
		var once sync.Once
		_, err := s.Generate(t.Context(), s.prompts[:1], decode.Options{MinimumTokens: 9}, func(int, string) error {
			once.Do(func() { close(begun) })
			return nil
		})
		if err != nil {
			t.Errorf("an answer that was begun before closing: %v", err)
		}
	})
	<-begun
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	group.Wait()
	_, generateErr := s.Generate(t.Context(), s.prompts, decode.Options{}, nil)
	_, scoreErr := s.Score(t.Context(), s.prompts[0], []string{"3"})
	_, stateErr := s.States(t.Context(), nil)
	for _, err := range []error{generateErr, scoreErr, stateErr, s.Warm(t.Context())} {
		if !errors.Is(err, runner.ErrClosed) {
			t.Errorf("after closing: %v", err)
		}
	}
}

func TestDamagedEmbeddings(t *testing.T) {
	reference := readSecond(t, "opt")
	dir := compileSecond(t, reference, blip2.CompileOptions{Precision: manifest.Float32, SharedVision: true})
	path := filepath.Join(dir, manifest.EmbeddingsFile)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	s := openSecondStage(t, reference, runner.Options{ModelDir: dir})
	if _, err := s.Generate(t.Context(), s.prompts, decode.Options{}, nil); !errors.Is(err, embed.ErrModelFiles) {
		t.Errorf("a damaged table of embeddings: %v", err)
	}
}
