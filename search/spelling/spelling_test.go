package spelling

import (
	"context"
	"slices"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/search/contract"
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
