package blip2test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"mekiki/embed/checkpoint"
	"mekiki/embed/decode"
	"mekiki/embed/modelconfig"
)

// LanguageReference is what train/parity/language.py wrote for one random second stage. Its weights are those of
// checkpoint.NewRandom with its configuration and seed. The pixels [Images 3 S S] are twice the stream "pixels".
type LanguageReference struct {
	Name   string
	Seed   uint64
	Config modelconfig.Config
	Images int
	Cases  []LanguageCase
}

// LanguageCase is one image with one prompt.
type LanguageCase struct {
	// Image is which of the pixels' images it is.
	Image int
	// PromptIDs are the tokens of the prompt, the special ones included; there may be none. InstructionIDs are those
	// that the Q-Former reads, where it does.
	PromptIDs      []int64 `json:"prompt_ids"`
	InstructionIDs []int64 `json:"instruction_ids"`
	// TaughtIDs follow the prompt. Logits [P V] are those of every position: image, prompt and taught tokens; of T5, of the
	// decoder's, which begins with Language.Start.
	TaughtIDs []int64 `json:"taught_ids"`
	Logits    Array
	// ImageTokens [N D], States [Q H] before the projection and Projected [Q W]; empty but for detailed cases, the last
	// two also given where the Q-Former reads the prompt.
	ImageTokens Array `json:"image_tokens"`
	States      Array
	Projected   Array
	// Encoder, T5's only, and Decoder hold what each layer gave; empty but for detailed cases.
	Encoder, Decoder LanguageLayers
	// Scores are the log-probabilities of continuations of the prompt.
	Scores []LanguageScore
	// Generated are the continuations found.
	Generated []LanguageGeneration
}

// Detailed reports whether the case has the outputs of every layer.
func (c LanguageCase) Detailed() bool { return len(c.ImageTokens.Shape) > 0 }

// LanguageLayers is what the layers of a stack gave: Layers[0] went into the first, Layers[i+1] came out of layer i
// [P W]; Normed is the last after the final normalisation.
type LanguageLayers struct {
	Layers []Array
	Normed Array
}

// LanguageScore is the log-probability of a continuation and of the first of Language.End after it, over the whole
// vocabulary, placeholders included.
type LanguageScore struct {
	IDs   []int64
	Score float64
}

// LanguageGeneration is what one way of decoding gave. Placeholders are forbidden, as if their logits were -inf after
// the softmax. Repetitions are counted among the written tokens; of T5 Language.Start is one.
type LanguageGeneration struct {
	Options decode.Options
	// IDs are the texts' tokens without the prompt, the ending one included where there is one, the best text first.
	IDs [][]int64
	// Scores are the texts' log-probabilities divided by their length to the power of the length penalty; of beam search.
	Scores []float64
	// Margin is the least difference between the best and the next token (greedy), or between neighbours in Scores.
	Margin float64
}

// ReadLanguageReferences reads every reference of a folder, of which there must be one.
func ReadLanguageReferences(t testing.TB, folder string) []LanguageReference {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no reference outputs: %v", err)
	}
	references := make([]LanguageReference, len(paths))
	for i, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(content, &references[i]); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	return references
}

// Weights are the reference's weights.
func (r LanguageReference) Weights(t testing.TB) *checkpoint.Random {
	t.Helper()
	weights, err := checkpoint.NewRandom(r.Config, r.Seed, false)
	if err != nil {
		t.Fatal(err)
	}
	return weights
}

// Pixels are the images [Images 3 S S].
func (r LanguageReference) Pixels() []float32 {
	side := r.Config.Vision.ImageSize
	values := checkpoint.RandomValues("pixels", r.Seed, r.Images*3*side*side)
	for i := range values {
		values[i] *= 2
	}
	return values
}
