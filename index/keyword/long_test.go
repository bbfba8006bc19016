package keyword

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/blevesearch/bleve/v2/search"
	"github.com/google/go-cmp/cmp"
)

// alike draws documents of which most have the same few words, in captions of several lengths, so that many score the same, and a
// few score more; their IDs are in no order, but for those below a thousand.
type alike struct {
	random *rand.Rand
	ids    []int
}

func newAlike(seed uint64, count int) *alike {
	random := rand.New(rand.NewPCG(seed, 9))
	return &alike{random, random.Perm(count)}
}

func (a *alike) documents(from, to int) (documents []Document) {
	for number := from; number < to; number++ {
		caption := "a photo of " + []string{"a dog", "a cat", "a house", "a dog and a cat", "a river"}[a.random.IntN(5)] + strings.Repeat(" snow", a.random.IntN(3))
		switch a.random.IntN(300) {
		case 0:
			caption += " photo photo"
		case 1:
			caption = "photo"
		case 2:
			caption += strings.Repeat(" tree", 30)
		}
		if a.random.IntN(100) == 0 {
			caption += " lamp"
		}
		documents = append(documents, Document{
			ID: uint64(a.ids[number]*3 + 1), Kind: []string{"image", "text"}[a.random.IntN(2)], Captions: []string{caption},
			Names: []string{fmt.Sprintf("/p/IMG_%04d.jpg", number%3000)}, Tags: []string{"night"}[:a.random.IntN(2)],
		})
	}
	return documents
}

// everyHit scores every document that matches with bleve's searchers.
func everyHit(ctx context.Context, r *Reader, q Query) ([]Hit, error) {
	count, err := r.documents.DocCount()
	if err != nil {
		return nil, err
	}
	best := &collector{limit: q.Limit, allow: q.Allow, reader: r.documents}
	err = r.each(search.ContextWithTermSearchersCounter(withScoring(ctx, count)), build(q, nil), search.SearcherOptions{}, best.offer)
	return best.hits(), err
}

// alikeQueries are for words of any frequency, in fields of their own and together, under filters too.
func alikeQueries(random *rand.Rand, count int) []Query {
	words := strings.Fields("photo photo dog cat house river snow lamp tree img jpg 17 0042 unicorn")
	queries := []Query{{Words: "photo"}, {Words: "IMG_0042"}, {Words: "img jpg"}, {Words: "photo snow", Filter: Filter{Kinds: []string{"text"}}}}
	for range count {
		text := ""
		for range 1 + random.IntN(4) {
			text += words[random.IntN(len(words))] + " "
		}
		q := Query{Words: text}
		some := func() (ids []uint64) { // those that there are not, and twice the same, included
			for range []int{1, 40, 900}[random.IntN(3)] {
				ids = append(ids, random.Uint64N(6000))
			}
			return ids
		}
		switch random.IntN(9) {
		case 3:
			q.Filter.IDs = some()
		case 4:
			q.Filter.IDs, q.Filter.Tags = some(), []string{"night"}
		case 5:
			q.Filter.IDs, q.Allow = some(), func(id uint64) bool { return id%3 == 0 }
		case 0:
			q.Filter.Kinds = []string{"image"}
		case 1:
			q.Filter.Tags = []string{"night"}
		case 2:
			q.Allow = func(id uint64) bool { return id%2 == 0 }
		}
		queries = append(queries, q)
	}
	for i := range queries {
		queries[i].Limit = []int{1, 2, 10, 100, 1000}[random.IntN(5)]
	}
	return queries
}

// compareWithEvery compares what a reader finds with what is best of everything, to the bit.
func compareWithEvery(ctx context.Context, r *Reader, q Query) error {
	got, err := r.Search(ctx, q)
	if err != nil {
		return err
	}
	want, err := everyHit(ctx, r, q)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("%q, %+v, the best %d: %d, wanted %d\n%.600s", q.Words, q.Filter, q.Limit, len(got), len(want), diff)
	}
	return nil
}

// TestFrequentWords: of words that all documents have, or many, the same are found as where every document is scored: in several
// segments, with many equal scores, where some were deleted, and again with what the first searches made ready.
func TestFrequentWords(t *testing.T) {
	for seed := range uint64(2) {
		x, err := Create(filepath.Join(t.TempDir(), "keyword"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { x.Close() })
		const count = 6000
		drawn := newAlike(seed, count)
		if err := x.Apply(t.Context(), 1, drawn.documents(0, count-300), nil); err != nil {
			t.Fatal(err)
		}
		waitForMerge(t, x)
		removed := drawn.documents(50, 90) // replaced, and removed
		if err := x.Apply(t.Context(), 2, append(drawn.documents(count-300, count), removed[:20]...), []uint64{removed[30].ID, removed[31].ID, 1, 4, 7}); err != nil {
			t.Fatal(err)
		}
		r, err := x.Reader()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		queries := alikeQueries(rand.New(rand.NewPCG(seed, 1)), 40)
		if seed == 1 {
			if err := r.Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			for _, q := range queries {
				if err := compareWithEvery(t.Context(), r, q); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		}
		compareMatchesOfBleve(t, x, Query{Words: "photo img", Limit: 50, Matches: true})
	}
}

// TestSearchWhileSegmentsChange searches for frequent words from several goroutines while documents are put in, replaced and
// removed, and bleve merges its segments; some are not waited for.
func TestSearchWhileSegmentsChange(t *testing.T) {
	x, err := Create(filepath.Join(t.TempDir(), "keyword"))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	const count = 6000
	drawn := newAlike(5, count)
	if err := x.Apply(t.Context(), 1, drawn.documents(0, 3000), nil); err != nil {
		t.Fatal(err)
	}
	filled := make(chan struct{})
	var searching sync.WaitGroup
	for number := range uint64(3) {
		searching.Go(func() {
			random := rand.New(rand.NewPCG(number, 2))
			for done := false; !done; {
				select {
				case <-filled:
					done = true
				default:
				}
				r, err := x.Reader()
				if err != nil {
					t.Error(err)
					return
				}
				for _, q := range alikeQueries(random, 4) {
					if err := compareWithEvery(t.Context(), r, q); err != nil {
						t.Error(err)
					}
				}
				left, leave := context.WithCancel(t.Context())
				leave()
				if _, err := r.Search(left, Query{Words: "photo", Limit: 10}); !errors.Is(err, context.Canceled) {
					t.Errorf("a search that nobody waits for: %v", err)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for from := 3000; from < count; from += 250 {
		documents := append(drawn.documents(from, from+250), drawn.documents(from-3000, from-2990)...)
		if err := x.Apply(t.Context(), uint64(from), documents, []uint64{uint64(from)*3 + 1}); err != nil {
			t.Error(err)
		}
	}
	close(filled)
	searching.Wait()
}

// TestLastOfTheRareIsKept: where frequent words may be better than the best documents of the rare ones, those of the rare words are
// found again, the last of them included, though others of its block only score the same.
func TestLastOfTheRareIsKept(t *testing.T) {
	for _, mixed := range []bool{false, true} {
		x, err := OpenMemory()
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		number := 0
		add := func(captions ...string) {
			documents := make([]Document, len(captions))
			for i, caption := range captions {
				number++
				documents[i] = Document{ID: uint64(number), Kind: "image", Captions: []string{caption}}
			}
			if err := x.Apply(t.Context(), uint64(number), documents, nil); err != nil {
				t.Fatal(err)
			}
		}
		words, long := "", strings.Repeat(" tree", 40)
		for i := range 12 {
			words += fmt.Sprintf(" word%d", i)
			captions := make([]string, 320)
			for j := range captions {
				captions[j] = fmt.Sprintf("word%d", i) + long
			}
			add(captions...)
		}
		lamps := make([]string, 310)
		for i := range lamps {
			lamps[i] = "lamp"
		}
		if mixed {
			lamps[300] = "word1" + long
		}
		add(lamps...)
		r, err := x.Reader()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for range 2 {
			for _, limit := range []int{1, 2, 300} {
				if err := compareWithEvery(t.Context(), r, Query{Words: "lamp" + words, Limit: limit}); err != nil {
					t.Error(err)
				}
			}
			if err := r.Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}
