package unigram

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

var small = []Piece{
	{"<unk>", 0}, {"a", -3}, {"b", -3}, {"ab", -5}, {"abc", -4}, {"c", -6}, {"<0xC3>", -9}, {"<0xA9>", -9}, {"é!", -30},
}

func ExampleModel_Append() {
	model, err := New(small, 0, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(model.Append(nil, "ababc"), model.Append(nil, "axxb"))
	// Output: [3 4] [1 0 2]
}

func TestUnknownRuns(t *testing.T) {
	model, err := New(small, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]int64{
		"":    nil,
		"aé":  {1, 6, 7},
		"aéx": {1, 0}, // one run, of which one byte has no piece
		"é!b": {8, 2},
	} {
		if got := model.Append(nil, text); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestBadModels(t *testing.T) {
	for name, c := range map[string]struct {
		pieces  []Piece
		unknown int
	}{
		"no unknown":   {small, -1},
		"past the end": {small, len(small)},
		"no pieces":    {nil, 0},
		"not a number": {[]Piece{{"a", math.NaN()}}, 0},
		"infinite":     {[]Piece{{"a", math.Inf(1)}}, 0},
		"long piece":   {[]Piece{{strings.Repeat("a", maximumPieceBytes+1), 0}}, 0},
	} {
		if _, err := New(c.pieces, c.unknown, false); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzAppend checks that no way to cut a text of known characters is likelier.
func FuzzAppend(f *testing.F) {
	f.Add("ababcabcc")
	f.Add("xéax")
	model, err := New(small, 0, true)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ids := model.Append(nil, text)
		known := strings.Trim(text, "abc") == ""
		if !known || len(text) > 30 {
			return
		}
		var joined strings.Builder
		sum := 0.0
		for _, id := range ids {
			joined.WriteString(small[id].Text)
			sum += small[id].Score
		}
		if joined.String() != text || sum < best(text)-1e-9 {
			t.Errorf("%q: %v has %v, the best %v", text, ids, sum, best(text))
		}
	})
}

// best returns the score of the likeliest way, from the left.
func best(text string) float64 {
	scores := make([]float64, len(text)+1)
	for end := 1; end <= len(text); end++ {
		scores[end] = math.Inf(-1)
		for _, piece := range small[1:] {
			if strings.HasSuffix(text[:end], piece.Text) {
				scores[end] = max(scores[end], scores[end-len(piece.Text)]+piece.Score)
			}
		}
	}
	return scores[len(text)]
}
