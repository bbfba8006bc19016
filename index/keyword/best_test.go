package keyword

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestBestOfLongLists compares what is found in lists of several chunks, of documents of which some were deleted, with
// bleve's collector and its searchers, places included.
func TestBestOfLongLists(t *testing.T) {
	x, err := Create(filepath.Join(t.TempDir(), "keyword"))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	random := rand.New(rand.NewPCG(8, 5))
	var documents []Document
	for number := range uint64(9000) {
		caption := []string{"a dog", "two cats", "a house", "a dog and a dog"}[random.IntN(4)] + " beside number " + fmt.Sprint(number%700) + strings.Repeat(" moon", random.IntN(3))
		d := Document{ID: number + 1, Kind: []string{"image", "image", "image", "text"}[random.IntN(4)], Captions: []string{"one", caption}, Names: []string{fmt.Sprintf("/p/IMG_%04d.jpg", number)}}
		if random.IntN(40) == 0 {
			d.Title, d.Tags = "a lamp", []string{"Night"}
		}
		documents = append(documents, d)
	}
	for start := 0; start < len(documents); start += 1500 {
		if err := x.Apply(t.Context(), uint64(start+1), documents[start:start+1500], nil); err != nil {
			t.Fatal(err)
		}
	}
	if longest := waitForMerge(t, x); longest < 3000 {
		t.Skipf("bleve has not merged its segments: the longest has %d documents", longest)
	}
	if err := x.Apply(t.Context(), 9001, documents[:20], []uint64{100, 101, 7000, 8000}); err != nil { // replaced and removed
		t.Fatal(err)
	}
	words := strings.Fields("dog cat house beside number moon lamp IMG one 17 650 unicorn 0042")
	queries := []Query{
		{Words: "dog beside number 17"}, {Words: "beside"}, {Words: "IMG_0042"}, {Words: "dog moon", Filter: Filter{Kinds: []string{"text"}}},
		{Words: "house number 5", Filter: Filter{Kinds: []string{"text", "image"}, Tags: []string{"night", "day"}}},
	}
	for range 40 {
		queries = append(queries, Query{Words: strings.Join([]string{words[random.IntN(len(words))], words[random.IntN(len(words))], words[random.IntN(len(words))]}, " ")})
	}
	for _, query := range queries {
		query.Limit = []int{1, 10, 100}[random.IntN(3)]
		wanted := hitsOfBleve(t, x, query)
		got, err := x.Search(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Fatalf("%+v\n%.900s", query, diff)
		}
		query.Matches = true
		compareMatchesOfBleve(t, x, query)
	}
}

// compareMatchesOfBleve compares the places of words with those that bleve's searchers give.
func compareMatchesOfBleve(t *testing.T, x *Index, query Query) {
	t.Helper()
	got, err := x.Search(t.Context(), query)
	if err != nil || len(got) == 0 {
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	reader, err := x.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	wanted := slices.Clone(got)
	for i := range wanted {
		wanted[i].Matches = nil
	}
	if err := reader.findMatches(withScoring(t.Context(), 9000), query, wanted); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Fatalf("%+v\n%.900s", query, diff)
	}
}

// waitForMerge waits until bleve has merged small segments into longer ones, and gives the length of the longest.
func waitForMerge(t *testing.T, x *Index) (longest uint64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && longest < 3000; time.Sleep(50 * time.Millisecond) {
		reader, err := x.Reader()
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range reader.segments() {
			longest = max(longest, one.Count())
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return longest
}
