package spelling

import (
	"context"
	"slices"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/search/contract"
	"mekiki/search/scoring"
)

// knows is a library and a model.
type knows struct {
	likes map[string]string // words of the library, by what is typed
	words []string          // of the model
	asked []string
}

func (k *knows) Spellings(_ context.Context, words []string) ([][]string, error) {
	k.asked = append(k.asked, words...)
	found := make([][]string, len(words))
	for i, word := range words {
		if like := k.likes[word]; like != "" {
			found[i] = []string{like}
		}
	}
	return found, nil
}

func (k *knows) TextInfo(text string) embed.TextInfo {
	if text == "a" || slices.Contains(k.words, text) {
		return embed.TextInfo{Tokens: 3}
	}
	return embed.TextInfo{Tokens: 5}
}

func TestRead(t *testing.T) {
	both := &knows{likes: map[string]string{"girafe": "giraffe", "couch": "coach", "blanks": "black", "qwoz": "quiz", "tulp": "tulip"}, words: []string{"qwoz"}}
	read, spelled, err := Read(t.Context(), both, both, []string{"a girafe beside the couch, blanks, qwoz", "girafe, tulp!", "girafe-like cat's x4girafe"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a giraffe beside the couch, blanks, qwoz", "giraffe, tulip!", "girafe-like cat's x4girafe"}; !slices.Equal(read, want) {
		t.Errorf("read as %q", read)
	}
	if want := []contract.Spelling{{Word: "girafe", As: "giraffe"}, {Word: "tulp", As: "tulip"}}; !slices.Equal(spelled, want) {
		t.Errorf("spelled %v", spelled)
	}
	if slices.Contains(both.asked, "couch") || slices.Contains(both.asked, "the") {
		t.Errorf("asked for %q", both.asked)
	}
	both.asked = nil
	many := strings.Fields("aaaab bbbbc ccccd ddddf eeeeg ffffg ggggh hhhhj iiiik jjjjk")
	if read, spelled, err := Read(t.Context(), both, both, many); err != nil || spelled != nil || !slices.Equal(read, many) || len(both.asked) != maximumLooked {
		t.Errorf("%q, %v, %v, asked %d", read, spelled, err, len(both.asked))
	}
}

// TestProposal: words that the library lacks are put right whoever else knows them, filters are left, and what one library has
// nothing like is asked of the next.
func TestProposal(t *testing.T) {
	index := &knows{likes: map[string]string{"cast": "cats", "tulp": "tulip"}}
	list := &knows{likes: map[string]string{"bizza": "pizza", "tulp": "gulp"}}
	for query, want := range map[string]string{
		"two cast":                        "two cats",
		"Tulp tulp, bizza.":               "Tulp tulip, pizza.",
		`-tulp "tulp cast" folder:tulp  `: `-tulip "tulip cats" folder:tulp  `,
		`tag:"tulp cast" cast`:            `tag:"tulp cast" cats`,
		"tulp-cast cast's 3cast":          "",
		"":                                "",
		"cat":                             "",
	} {
		if got, err := Proposal(t.Context(), query, index, list); err != nil || got != want {
			t.Errorf("%q: %q, want %q; %v", query, got, want, err)
		}
	}
	if slices.Contains(list.asked, "cast") {
		t.Errorf("the second was asked for %q", list.asked)
	}
	for response, want := range map[*contract.Response]string{
		{Query: "cast", Stage: contract.StageFinal}:                                           "cats",
		{Query: "cast", Stage: contract.StageFinal, Total: 9, Verdict: scoring.VerdictWeak}:   "cats",
		{Query: "cast", Stage: contract.StageFinal, Total: 9, Verdict: scoring.VerdictStrong}: "",
		{Query: "cast", Stage: contract.StageFinal, Offset: 10}:                               "",
		{Query: "cast", Stage: contract.StageFirst}:                                           "",
	} {
		if err := Propose(t.Context(), response, index); err != nil || response.DidYouMean != want {
			t.Errorf("%+v: %q, want %q; %v", response, response.DidYouMean, want, err)
		}
	}
}
