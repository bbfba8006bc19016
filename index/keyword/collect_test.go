package keyword

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

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
		documents = append(documents, Document{
			ID: uint64(number + 1), Kind: []string{"image", "image", "text"}[random.IntN(3)], Captions: []string{caption},
			Names: []string{fmt.Sprintf("/p/%s.jpg", words[random.IntN(len(words))])}, Format: []string{"png", "jpeg"}[random.IntN(2)],
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
	} {
		for _, limit := range []int{0, 1, 7, 100, 1000, 5000} {
			query.Limit, query.Matches = limit, false
			got, total, err := x.Search(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			query.Matches = true
			want, wantTotal, err := x.Search(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				want[i].Matches = nil
			}
			if diff := cmp.Diff(want, got); diff != "" || total != wantTotal {
				t.Errorf("%+v: %d of %d, wanted %d of %d\n%.500s", query, len(got), total, len(want), wantTotal, diff)
			}
		}
	}
}
