package datasets

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed/builtin"
)

// truthOf is four pictures of a small world.
func truthOf() map[string]Truth {
	return map[string]Truth{
		"a.png": {Things: []Thing{{Kind: "cat", Count: 1}, {Kind: "pizza", Count: 1}}, Background: "grass"},
		"b.png": {Things: []Thing{{Kind: "cat", Count: 2}}, Background: "red"},
		"c.png": {Things: []Thing{{Kind: "cat", Count: 3}, {Kind: "red book", Count: 1}}, Background: "grass"},
		"d.png": {Things: []Thing{{Kind: "hot dog", Count: 1}, {Kind: "dog", Count: 1}, {Kind: "green book", Count: 1}}, Background: "sea"},
		"e.png": {Things: []Thing{{Kind: "hot dog", Count: 2}}, Background: "sea"},
	}
}

func TestPartialQueries(t *testing.T) {
	got := map[string]Query{}
	for _, query := range partialQueries(truthOf()) {
		got[query.Query] = query
	}
	for text, want := range map[string][2][]string{
		"cat":              {{"a.png"}, {"b.png", "c.png"}},
		"a cat":            {{"a.png"}, {"b.png", "c.png"}},
		"two cats":         {{"b.png"}, {"c.png"}},
		"three cats":       {{"c.png"}, nil},
		"dog":              {{"d.png"}, {"e.png"}}, // a hot dog may be called one
		"two hot dogs":     {{"e.png"}, nil},
		"a book":           {{"c.png", "d.png"}, nil},
		"three pizzas":     {nil, nil},
		"a cat in the sea": {nil, nil},
	} {
		query, ok := got[text]
		if !ok {
			t.Errorf("%s is not asked", text)
		} else if diff := cmp.Diff(want, [2][]string{query.Images, query.Unclear}); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// TestGalleryPartialQueries holds that what is called a right answer is one: the
// picture's truth holds what the query's words name.
func TestGalleryPartialQueries(t *testing.T) {
	sets, err := ReadQuerySets(builtin.Gallery())
	if err != nil {
		t.Fatal(err)
	}
	truth, err := ReadTruth(builtin.Gallery())
	if err != nil {
		t.Fatal(err)
	}
	splits, seen, answered := map[string]int{}, map[string]bool{}, 0
	for _, query := range sets.Partial {
		if seen[query.Query] {
			t.Errorf("%q is asked twice", query.Query)
		}
		seen[query.Query] = true
		splits[query.Split]++
		if len(query.Images) > 0 {
			answered++
		}
		for _, picture := range query.Images {
			if slices.Contains(query.Unclear, picture) {
				t.Errorf("%q: %s is right and unclear", query.Query, picture)
			}
			if _, known := truth[picture]; !known {
				t.Errorf("%q: there is no picture %s", query.Query, picture)
			}
		}
	}
	if min(splits["val"], splits["test"]) < 600 || answered < 600 || len(sets.Partial)-answered < 600 {
		t.Errorf("splits %v, %d of %d answered", splits, answered, len(sets.Partial))
	}
}

func TestPlurals(t *testing.T) {
	for name, want := range map[string]string{
		"cat": "cats", "box": "boxes", "cherry": "cherries", "mouse": "mice", "bunch of grapes": "bunches of grapes", "cheese": "", "tropical fish": "tropical fish",
	} {
		if got, ok := pluralOf(name); ok != (want != "") || ok && got != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, ok, want)
		}
	}
}
