package language

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestGolden compares the tokens of published models with those that transformers'
// own tests and the models' converters have for them, where MEKIKI_TOKENIZERS names a
// folder with the models' files.
func TestGolden(t *testing.T) {
	root := os.Getenv("MEKIKI_TOKENIZERS")
	if root == "" {
		t.Skip("MEKIKI_TOKENIZERS names no folder")
	}
	for _, c := range []struct {
		folder, text string
		want         []int64
	}{
		{"opt", "Question: which city is this? Answer:", []int64{2, 45641, 35, 61, 343, 16, 42, 116, 31652, 35}},
		{"opt", "a woman sitting on the beach with a dog\n", []int64{2, 102, 693, 2828, 15, 5, 4105, 19, 10, 2335, 50118}},
		{"flan-t5", "woman playing with dog on the beach", []int64{2335, 1556, 28, 1782, 30, 8, 2608, 1}},
		{"flan-t5", "san diego", []int64{3, 7, 152, 67, 839, 1}},
		{"flan-t5", "", []int64{1}},
		{"vicuna", "What is unusual about this image?", []int64{2, 1724, 338, 22910, 1048, 445, 1967, 29973}},
		{"smollm2", "A photo of a red cube.", []int64{49, 8003, 282, 253, 2382, 20636, 30}},
	} {
		t.Run(c.folder, func(t *testing.T) {
			folder := filepath.Join(root, c.folder)
			if _, err := os.Stat(folder); err != nil {
				t.Skip(err)
			}
			tokenizer := openFixture(t, folder)
			if got := tokenizer.Encode(c.text, 0).IDs; !slices.Equal(got, c.want) {
				t.Errorf("%q: got %v, want %v", c.text, got, c.want)
			}
		})
	}
}
