package search

import (
	"slices"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/index/facets"
	"mekiki/search/contract"
)

// piecingEngine is a model that has to cut one word in pieces.
type piecingEngine struct{ worldEngine }

func (e piecingEngine) TextInfo(text string) embed.TextInfo {
	info := e.worldEngine.TextInfo(text)
	info.Tokens += 2 * strings.Count(text, "zebbra")
	return info
}

// TestMistypedWords: a word that neither library nor model has is read as the library's word like it, by words and by
// meaning, and the answer says so. In quotes it stays as it is.
func TestMistypedWords(t *testing.T) {
	w := populated(60)
	w.add("/library/one.jpg", "zebra")
	s, err := New(w, piecingEngine{worldEngine{w}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	right := search(t, s, contract.Request{Text: "zebra"})
	typed := search(t, s, contract.Request{Text: "zebbra"})
	if len(right.Hits) == 0 || typed.Total != right.Total || typed.Hits[0].ID != right.Hits[0].ID || typed.Hits[0].Probability != right.Hits[0].Probability {
		t.Errorf("%+v, typed right %+v", typed.Hits, right.Hits)
	}
	if want := []contract.Spelling{{Word: "zebbra", As: "zebra"}}; !slices.Equal(typed.Spelled, want) || !strings.Contains(strings.Join(typed.Warnings, " "), `was read as "zebra"`) {
		t.Errorf("spelled %v, %q", typed.Spelled, typed.Warnings)
	}
	if right.Spelled != nil {
		t.Errorf("a word that is right: %v", right.Spelled)
	}
	if quoted := search(t, s, contract.Request{Text: `"zebbra"`}); quoted.Spelled != nil && len(quoted.Hits) > 0 {
		t.Errorf("in quotes: %v, %d hits", quoted.Spelled, len(quoted.Hits))
	}
	counted, err := s.Facets(t.Context(), contract.Request{Text: "zebbra"}, facets.Query{})
	if err != nil || counted.Total != right.Total {
		t.Errorf("%d are counted, %v", counted.Total, err)
	}
}
