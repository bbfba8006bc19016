package answering_test

import (
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/blip2"
	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/runner"
	"mekiki/embed/tokenize"
)

// numbers is a tokenizer whose texts are ids, as "38 54|45 7": those that the Q-Former reads and, after the bar, those of
// the language model.
type numbers struct{ former bool }

func (n numbers) Encode(text string, maximum int) tokenize.Encoding {
	other, own, found := strings.Cut(text, "|")
	if n.former || !found {
		own = other
	}
	ids := n.EncodeContinuation(own)
	if maximum > 0 && len(ids) > maximum {
		ids = ids[:maximum]
	}
	return tokenize.Encoding{IDs: ids}
}

func (n numbers) EncodeContinuation(text string) []int64 {
	var ids []int64
	for _, word := range strings.Fields(text) {
		id, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			panic(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func (n numbers) Decode(ids []int64) string {
	var text strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&text, " %d", id)
	}
	return text.String()
}

func (numbers) Special() tokenize.Special { return tokenize.Special{} }

func (n numbers) NewStream() tokenize.Stream { return &numberStream{} }

// numberStream holds every token back until the next one.
type numberStream struct{ held string }

func (s *numberStream) Next(id int64) string {
	final := s.held
	s.held = fmt.Sprint(" ", id)
	return final
}

func (s *numberStream) End() string { return s.held + " " }

// numberFamily is BLIP-2 with that tokenizer.
func numberFamily() manifest.Family {
	family := blip2.Family()
	family.Tokenizer = func(func(string) ([]byte, error)) (tokenize.Tokenizer, error) { return numbers{former: true}, nil }
	family.Language = func(func(string) ([]byte, error)) (tokenize.Language, error) { return numbers{}, nil }
	return family
}

// referenceSource is the checkpoint of a reference, with a tokenizer's file.
type referenceSource struct {
	*checkpoint.Random
	config modelconfig.Config
}

func (s referenceSource) Config() modelconfig.Config { return s.config }

func (s referenceSource) ReadFile(name string) ([]byte, error) {
	if name == "tokenizer.json" {
		return []byte("{}"), nil
	}
	return nil, fs.ErrNotExist
}

// compileSecond writes a second stage with the reference's weights into a new folder.
func compileSecond(t testing.TB, reference blip2test.LanguageReference, options blip2.CompileOptions) string {
	t.Helper()
	return compileSource(t, secondSource(t, reference), options)
}

// secondSource is the reference's checkpoint.
func secondSource(t testing.TB, reference blip2test.LanguageReference) blip2.Source {
	t.Helper()
	config := reference.Config
	config.Preprocess = modelconfig.Preprocess{
		ImageSize: config.Vision.ImageSize, Mean: [3]float32{0.5, 0.5, 0.5}, StandardDeviation: [3]float32{0.5, 0.5, 0.5}, RescaleFactor: 1.0 / 255,
	}
	return referenceSource{reference.Weights(t), config}
}

// compileSource compiles a checkpoint into a folder of the test.
func compileSource(t testing.TB, source blip2.Source, options blip2.CompileOptions) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	if _, err := blip2.Compile(t.Context(), source, dir, options); err != nil {
		t.Fatal(err)
	}
	return dir
}

func openAnswerer(t testing.TB, options runner.Options) *answering.Engine {
	t.Helper()
	options.Runtime = orttest.Open(t)
	if options.Families == nil {
		options.Families = []manifest.Family{numberFamily()}
	}
	engine, err := answering.Open(t.Context(), options)
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

// join writes ids as the tokenizer reads them.
func join(ids []int64) string { return strings.TrimSpace(numbers{}.Decode(ids)) }

// secondStage is a reference, its engine and the prompts of its cases.
type secondStage struct {
	blip2test.LanguageReference
	*answering.Engine
	prompts []answering.Prompt
}

func openSecondStage(t testing.TB, reference blip2test.LanguageReference, options runner.Options) secondStage {
	t.Helper()
	if options.ModelDir == "" {
		options.ModelDir = compileSecond(t, reference, blip2.CompileOptions{Precision: manifest.Float32, SharedVision: true})
	}
	s := secondStage{LanguageReference: reference, Engine: openAnswerer(t, options)}
	images := map[int]embed.ImageTokens{}
	for _, c := range reference.Cases {
		if c.Detailed() {
			shape := c.ImageTokens.Shape
			images[c.Image] = embed.ImageTokens{Rows: int(shape[0]), Columns: int(shape[1]), Values: c.ImageTokens.Values(t)}
		}
	}
	for _, c := range reference.Cases {
		states, err := s.States(t.Context(), []embed.ImageTokens{images[c.Image]})
		if err != nil {
			t.Fatal(err)
		}
		s.prompts = append(s.prompts, answering.Prompt{States: states[0], Text: join(c.InstructionIDs) + "|" + join(c.PromptIDs)})
	}
	return s
}

// text is what the engine says of written tokens.
func (s secondStage) text(ids []int64) string {
	if last := len(ids) - 1; last >= 0 && slices.Contains(s.Config.Language.End, ids[last]) {
		ids = ids[:last]
	}
	return join(ids)
}

// TestAnswerParity wants every text that transformers writes, greedily and with beams, alone and in batches, and the
// log-probabilities of given texts.
func TestAnswerParity(t *testing.T) {
	worst := 0.0
	for _, reference := range blip2test.ReadLanguageReferences(t, "../blip2/testdata/language") {
		t.Run(reference.Name, func(t *testing.T) {
			s := openSecondStage(t, reference, runner.Options{})
			for generation := range reference.Cases[0].Generated {
				options := reference.Cases[0].Generated[generation].Options
				together, err := s.Generate(t.Context(), s.prompts, options, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i, c := range reference.Cases {
					alone, err := s.Generate(t.Context(), s.prompts[i:i+1], options, nil)
					if err != nil {
						t.Fatal(err)
					}
					want := c.Generated[generation]
					s.compare(t, fmt.Sprintf("case %d, %+v", i, options), alone[0], want)
					s.compare(t, fmt.Sprintf("case %d of all, %+v", i, options), together[i], want)
				}
			}
			for i, c := range reference.Cases {
				worst = max(worst, s.compareScores(t, i, c))
			}
		})
	}
	t.Logf("the worst log-probability is off by %.1e", worst)
	if !(worst <= blip2test.Tolerance) {
		t.Errorf("a log-probability is off by %g, more than %g", worst, blip2test.Tolerance)
	}
}

// compare wants the texts of a reference, but for the order of those whose scores are alike.
func (s secondStage) compare(t *testing.T, what string, got []answering.Generated, want blip2test.LanguageGeneration) {
	t.Helper()
	if len(got) != len(want.IDs) {
		t.Errorf("%s: %d texts, want %d", what, len(got), len(want.IDs))
		return
	}
	for rank, ids := range want.IDs {
		if want.Margin < 1e-4 && rank > 0 {
			break
		}
		if got[rank].Text != s.text(ids) || got[rank].Tokens != len(ids) {
			t.Errorf("%s: text %d is %q of %d tokens, want %v", what, rank, got[rank].Text, got[rank].Tokens, ids)
		}
	}
}

func (s secondStage) compareScores(t *testing.T, i int, c blip2test.LanguageCase) (worst float64) {
	t.Helper()
	var texts []string
	for _, score := range c.Scores {
		texts = append(texts, join(score.IDs))
	}
	got, err := s.Score(t.Context(), s.prompts[i], texts)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range c.Scores {
		if len(s.Config.Language.End) > 1 { // any of which ends a text, and the reference has the first
			if float64(got[k]) < want.Score-blip2test.Tolerance {
				t.Errorf("case %d: score %g is below that of the first end, %g", i, got[k], want.Score)
			}
			continue
		}
		worst = max(worst, math.Abs(float64(got[k])-want.Score))
	}
	return worst
}
