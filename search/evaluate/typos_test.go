package evaluate

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/builtin"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/search"
	"mekiki/search/contract"
	"mekiki/search/evaluate/datasets"
	"mekiki/search/spelling"
)

// typo makes one mistake in a word, past its first letter: a letter too few, one twice, or two swapped.
func typo(random *rand.Rand, word string) string {
	letters := []rune(word)
	at := 1 + random.IntN(len(letters)-2)
	switch random.IntN(3) {
	case 0:
		letters = slices.Delete(letters, at, at+1)
	case 1:
		letters = slices.Insert(letters, at, letters[at])
	default:
		letters[at], letters[at+1] = letters[at+1], letters[at]
	}
	return string(letters)
}

// literal is a library that reads no word as another one.
type literal struct{ index.Source }

func (l literal) Reader(ctx context.Context) (index.Reader, error) {
	reader, err := l.Source.Reader(ctx)
	return literalReader{reader}, err
}

type literalReader struct{ index.Reader }

func (literalReader) Spellings(_ context.Context, words []string) ([][]string, error) {
	return make([][]string, len(words)), nil
}

// TestMistypedGalleryWords: words of the gallery's things, mistyped, find what they find when they are typed right, and
// queries that are typed right, or mean nothing, are left as they are.
func TestMistypedGalleryWords(t *testing.T) {
	if testing.Short() {
		t.Skip("indexes the gallery")
	}
	library, engine, options := galleryLibrary(t)
	reads, err := search.New(library, engine, options)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := search.New(literal{library}, engine, options)
	if err != nil {
		t.Fatal(err)
	}
	find := func(searcher *search.Searcher, query string) (strong map[index.ID]bool, answer contract.Response) {
		answer, err := searcher.Search(t.Context(), contract.Request{Text: query, Limit: 100, Show: contract.ShowStrong, RerankBudget: -1})
		if err != nil {
			t.Fatal(err)
		}
		strong = map[index.ID]bool{}
		for _, hit := range answer.Hits {
			strong[hit.ID] = true
		}
		return strong, answer
	}
	for _, query := range galleryQueries() {
		if _, answer := find(reads, query); answer.Spelled != nil {
			t.Errorf("%q is read otherwise: %v", query, answer.Spelled)
		}
	}
	checkSetsAsTyped(t, library, engine)
	random := rand.New(rand.NewPCG(1, 1))
	words := strings.Fields("giraffe hamburger lighthouse tulip bicycle penguin rainbow umbrella sailboat hammer envelope snowman dolphin helicopter " +
		"strawberry guitar camera elephant butterfly mushroom pineapple rocket telescope balloon")
	var read, same, wrong, foundRead, foundPlain, all int
	for _, word := range words {
		right, answer := find(reads, word)
		if len(right) == 0 || answer.Spelled != nil {
			continue // not of the gallery
		}
		for range 3 {
			mistyped := typo(random, word)
			if mistyped == word {
				continue
			}
			got, answer := find(reads, mistyped)
			before, _ := find(plain, mistyped)
			all += len(right)
			for id := range right {
				if got[id] {
					foundRead++
				}
				if before[id] {
					foundPlain++
				}
			}
			switch {
			case len(answer.Spelled) == 0:
			case answer.Spelled[0].As == word || answer.Spelled[0].As == word+"s":
				read, same = read+1, same+1
			default:
				read, wrong = read+1, wrong+1
				t.Logf("%s, meant as %s, was read as %s", mistyped, word, answer.Spelled[0].As)
			}
		}
	}
	t.Logf("of %d strong hits of words typed right, %d were found when mistyped, %d without reading words otherwise; %d mistyped words were read as others, %d rightly, %d wrongly",
		all, foundRead, foundPlain, read, same, wrong)
	if foundRead <= foundPlain || wrong > same/10 {
		t.Error("reading mistyped words as others does not help")
	}
}

// checkSetsAsTyped: of all queries of the gallery's sets, with an answer and without, hardly one has a word that is read as
// another one.
func checkSetsAsTyped(t *testing.T, library *local.Library, engine *embed.Engine) {
	t.Helper()
	dataset, err := datasets.ReadAnnotations(builtin.Gallery(), "annotations.json")
	if err != nil {
		t.Fatal(err)
	}
	sets, err := datasets.ReadQuerySets(builtin.Gallery())
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, image := range dataset.Images {
		texts = append(texts, image.Captions...)
	}
	for _, set := range [][]datasets.Query{sets.FreePhrasing, sets.NoMatch, sets.Everyday, sets.Partial} {
		for _, query := range set {
			texts = append(texts, query.Query)
		}
	}
	reader, err := library.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	changed := 0
	for _, text := range texts {
		_, spelled, err := spelling.Read(t.Context(), reader, engine, []string{text})
		if err != nil {
			t.Fatal(err)
		}
		if len(spelled) > 0 {
			changed++
			t.Logf("%q is read otherwise: %v", text, spelled)
		}
	}
	t.Logf("of %d queries of the sets, %d are read otherwise", len(texts), changed)
	if changed > len(texts)/500 {
		t.Error("that is more than one of 500")
	}
}
