package answering_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/blip2"
	"mekiki/embed/checkpoint"
	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/runner"
	tokenizers "mekiki/embed/tokenize/language"
)

// wordSource is a random checkpoint with the files of a tokenizer.
type wordSource struct {
	referenceSource
	tokenizer string
}

func (s wordSource) ReadFile(name string) ([]byte, error) {
	packed, err := os.ReadFile(filepath.Join(s.tokenizer, name+".gz"))
	if err != nil {
		return nil, fs.ErrNotExist
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

// openWords compiles and opens a second stage of random weights with a tokenizer of a published architecture.
func openWords(t *testing.T, reference, tokenizer string) (*answering.Engine, *tokenizers.Tokenizer) {
	t.Helper()
	source := wordSource{tokenizer: filepath.Join("../tokenize/language/testdata", tokenizer)}
	words, err := tokenizers.Open(source.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	config := readSecond(t, reference).Config
	language := *config.Language
	language.VocabularySize, language.Words, language.End = words.Size()+3, words.Size(), []int64{words.Special().End}
	language.Positions = max(language.Positions, 128)
	config.Language = &language
	config.Preprocess.StandardDeviation, config.Preprocess.RescaleFactor = [3]float32{1, 1, 1}, 1
	random, err := checkpoint.NewRandom(config, 11, false)
	if err != nil {
		t.Fatal(err)
	}
	source.referenceSource = referenceSource{random, config}
	dir := filepath.Join(t.TempDir(), "model")
	if _, err := blip2.Compile(t.Context(), source, dir, blip2.CompileOptions{Precision: manifest.Float32, SharedVision: true}); err != nil {
		t.Fatal(err)
	}
	return openAnswerer(t, runner.Options{ModelDir: dir, Families: []manifest.Family{blip2.Family()}}), words
}

// TestAnswersInWords writes texts with the tokenizers of published models, whose tokens are parts of words and of
// characters.
func TestAnswersInWords(t *testing.T) {
	for tokenizer, reference := range map[string]string{"opt": "opt", "t5": "t5", "smollm": "llama-grouped", "vicuna": "llama"} {
		t.Run(tokenizer, func(t *testing.T) {
			e, words := openWords(t, reference, tokenizer)
			config := e.Manifest().Config
			tokens := embed.ImageTokens{Rows: config.Vision.Tokens(), Columns: config.Vision.HiddenSize}
			tokens.Values = checkpoint.RandomValues("tokens", 1, tokens.Rows*tokens.Columns)
			states, err := e.States(t.Context(), []embed.ImageTokens{tokens})
			if err != nil {
				t.Fatal(err)
			}
			var prompts []answering.Prompt
			for _, text := range []string{"", "a photo of", "Question: is it red? Answer:", "Question: 何色ですか? Answer:", "Question: is it blue? Answer:"} {
				prompts = append(prompts, answering.Prompt{States: states[0], Text: text})
			}
			for seed := range uint64(4) {
				options := decode.Options{Method: decode.Nucleus, TopP: 1, MaximumTokens: 40, Seed: seed}
				told := make([]string, len(prompts))
				got, err := e.Generate(t.Context(), prompts, options, func(prompt int, piece string) error {
					if !utf8.ValidString(piece) {
						t.Errorf("a piece %q of a character", piece)
					}
					told[prompt] += piece
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				for i, texts := range got {
					if texts[0].Text != told[i] || texts[0].Text != strings.TrimSpace(texts[0].Text) {
						t.Errorf("%q: %q, told %q", prompts[i].Text, texts[0].Text, told[i])
					}
				}
			}
			scoresOfWords(t, e, words, prompts)
		})
	}
}

// scoresOfWords wants the score of a word to be what the model writes it with, by way of texts that are made of it: the
// score of a continuation is that of its first word and of the rest after it.
func scoresOfWords(t *testing.T, e *answering.Engine, words *tokenizers.Tokenizer, prompts []answering.Prompt) {
	t.Helper()
	for _, prompt := range prompts {
		scores, err := e.Score(t.Context(), prompt, []string{"yes", " yes", "no", "yes, a red one"})
		if err != nil {
			t.Fatal(err)
		}
		for _, score := range scores {
			if !(score < 0) || math.IsInf(float64(score), 0) {
				t.Errorf("%q: scores %v", prompt.Text, scores)
			}
		}
		if prompt.Text != "" && scores[0] != scores[1] {
			t.Errorf("%q: a space before an answer changes its score: %v", prompt.Text, scores)
		}
		// An answer goes on with its prompt as the whole text is read, so that the prompt's tokens stay what they are.
		whole, alone := words.Encode(prompt.Text+" yes", 0).IDs, words.Encode(prompt.Text, 0).IDs
		if end := words.Special().End; len(alone) > 0 && alone[len(alone)-1] == end && len(whole) > 0 && whole[len(whole)-1] == end {
			continue // T5 reads the prompt elsewhere
		}
		if prompt.Text != "" && strings.TrimSpace(words.Decode(whole[len(alone):])) != "yes" {
			t.Errorf("%q and yes: %v after %v", prompt.Text, whole, alone)
		}
	}
}
