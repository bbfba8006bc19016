package keyword

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/blevesearch/bleve/v2"
	"github.com/google/go-cmp/cmp"
)

// TestBestDocumentsAreThoseOfBleve compares what is kept of many equal scores, in
// any order of documents, with bleve's collector, which reads every ID.
func TestBestDocumentsAreThoseOfBleve(t *testing.T) {
	x, err := OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	random := rand.New(rand.NewPCG(3, 1))
	words := strings.Fields("cat dog moon river boat tree lamp")
	var documents []Document
	for _, number := range random.Perm(3000) {
		caption := words[random.IntN(len(words))]
		if random.IntN(3) == 0 {
			caption += " " + words[random.IntN(len(words))]
		}
		if random.IntN(3) == 0 { // one word often, and a long text
			caption += strings.Repeat(" "+words[random.IntN(len(words))], random.IntN(9)) + strings.Repeat(" house", random.IntN(20))
		}
		documents = append(documents, Document{
			ID: uint64(number + 1), Kind: []string{"image", "image", "text"}[random.IntN(3)], Captions: []string{caption},
			Title: []string{"", "", "", "a river", "house of the moon"}[random.IntN(5)], Labels: [][]string{nil, {"boat"}, {"cat", "house"}}[random.IntN(3)],
			Names: []string{fmt.Sprintf("/p/%s_%d.jpg", words[random.IntN(len(words))], number/20)}, Format: []string{"png", "jpeg"}[random.IntN(2)],
		})
	}
	for start := 0; start < len(documents); start += 700 { // several segments
		if err := x.Apply(t.Context(), uint64(start+1), documents[start:min(start+700, len(documents))], []uint64{uint64(start + 2)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, query := range []Query{
		{Words: "cat"}, {Words: "cat dog"}, {Words: "moon river boat", Filter: Filter{Kinds: []string{"image"}}}, {Words: "cat", Exclude: []string{"dog"}},
		{Phrases: []string{"cat dog"}, Words: "moon"}, {Words: "lamp tree", Filter: Filter{Formats: []string{"png"}, Kinds: []string{"text"}}},
		{Words: "tree", Filter: Filter{IDs: []uint64{5, 2999, 70, 71, 72, 73, 74, 75, 2000, 4000}}}, {Words: "unicorn"},
		{Words: "a cat in a house by the river number 2999"}, {Words: "tree house boat moon lamp cat dog river"}, {Words: "house unicorn"},
		{Words: "house river moon 77 78", Filter: Filter{Formats: []string{"png"}}},
	} {
		for _, limit := range []int{0, 1, 7, 100, 1000, 5000} {
			query.Limit = limit
			got, err := x.Search(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			want := hitsOfBleve(t, x, query)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%+v: %d, wanted %d\n%.500s", query, len(got), len(want), diff)
			}
		}
	}
}

// hitsOfBleve scores every document that matches and lets bleve order them.
func hitsOfBleve(t *testing.T, x *Index, q Query) (hits []Hit) {
	t.Helper()
	request := bleve.NewSearchRequestOptions(build(q, nil), q.Limit, 0, false)
	request.SortBy([]string{"-_score", "_id"})
	documents, err := x.bleve.DocCount()
	if err != nil {
		t.Fatal(err)
	}
	result, err := x.bleve.SearchInContext(withScoring(t.Context(), documents), request)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range result.Hits {
		id, err := idOf(found.ID)
		if err != nil {
			t.Fatal(err)
		}
		hits = append(hits, Hit{ID: id, Score: found.Score})
	}
	return hits
}

// Search finds documents of the index as it is.
func (x *Index) Search(ctx context.Context, q Query) ([]Hit, error) {
	reader, err := x.Reader()
	if err != nil {
		return nil, err
	}
	hits, err := reader.Search(ctx, q)
	return hits, errors.Join(err, reader.Close())
}
