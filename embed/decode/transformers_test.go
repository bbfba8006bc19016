package decode

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// reference is one case of testdata/transformers.json, which train/fixtures/decoding.py writes with transformers.
type reference struct {
	Seed       uint32
	Vocabulary int
	Ends       []int64
	Prompt     []int64
	Options    struct {
		MaximumTokens     int      `json:"max_new_tokens"`
		MinimumTokens     int      `json:"min_new_tokens"`
		RepetitionPenalty float64  `json:"repetition_penalty"`
		NoRepeat          int      `json:"no_repeat_ngram_size"`
		Beams             int      `json:"num_beams"`
		LengthPenalty     *float64 `json:"length_penalty"`
		Count             int      `json:"num_return_sequences"`
	}
	Sequences [][]int64
	Scores    []float64
}

// hashTable is the language model of that script.
type hashTable struct {
	reference
	rows [][]int64
}

func (m *hashTable) Gather(_ context.Context, parents []int) error {
	rows := make([][]int64, len(parents))
	for row, parent := range parents {
		rows[row] = slices.Clone(m.rows[parent])
	}
	m.rows = rows
	return nil
}

func (m *hashTable) Step(_ context.Context, tokens []int64) ([]float32, error) {
	for row, token := range tokens {
		m.rows[row] = append(m.rows[row], token)
	}
	return m.first(), nil
}

func (m *hashTable) first() []float32 {
	var logits []float32
	for _, row := range m.rows {
		last := []uint32{0, 0, 0}
		for _, token := range row {
			last = append(last, uint32(token)+1)
		}
		for token := range m.Vocabulary {
			state := m.Seed*2654435761 + 97
			for _, part := range append(last[len(last)-3:], uint32(token)) {
				state = (state ^ part) * 16777619
				state ^= state >> 15
			}
			logit := float32(state%1024)/64 - 8
			if slices.Contains(m.Ends, int64(token)) {
				logit += 2
			}
			logits = append(logits, logit)
		}
	}
	return logits
}

func TestTransformers(t *testing.T) {
	content, err := os.ReadFile("testdata/transformers.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []reference
	if err := json.Unmarshal(content, &cases); err != nil || len(cases) < 30 {
		t.Fatalf("%d cases: %v", len(cases), err)
	}
	for _, want := range cases {
		options := Options{
			Method: Greedy, Beams: want.Options.Beams, Count: want.Options.Count, LengthPenalty: want.Options.LengthPenalty,
			MinimumTokens: want.Options.MinimumTokens, MaximumTokens: want.Options.MaximumTokens,
			RepetitionPenalty: want.Options.RepetitionPenalty, NoRepeat: want.Options.NoRepeat,
		}
		if want.Scores != nil {
			options.Method = Beam
		}
		if err := options.Validate(); err != nil {
			t.Fatal(err)
		}
		model := &hashTable{reference: want, rows: [][]int64{want.Prompt}}
		search := Search{Vocabulary: want.Vocabulary, End: want.Ends, Before: [][]int64{want.Prompt}}
		found, err := search.Run(t.Context(), model, model.first(), options)
		if err != nil {
			t.Fatal(err)
		}
		for i, tokens := range want.Sequences {
			got := found[0][i]
			if !slices.Equal(got.Tokens, tokens) {
				t.Errorf("seed %d, text %d: %v, want %v", want.Seed, i, got.Tokens, tokens)
			}
			if want.Scores != nil && math.Abs(got.Rank-want.Scores[i]) > 1e-5*max(1, math.Abs(want.Scores[i])) {
				t.Errorf("seed %d, text %d: score %g, want %g", want.Seed, i, got.Rank, want.Scores[i])
			}
		}
	}
}
