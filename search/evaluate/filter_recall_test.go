package evaluate

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/search"
	"mekiki/search/contract"
)

// TestFilterRecall holds that a filter never costs relevance, however little it
// leaves: what is found under it is what a scan of all stored vectors finds
// among the records that pass. It asks the library of TestLatency, which says
// how to make it larger; from 20,000 pictures on, vectors are searched
// approximately.
func TestFilterRecall(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a library")
	}
	engine, library, dataset := latencyLibrary(t)
	searcher, err := search.New(library, engine, search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, image := range sample(dataset.Images, 50) {
		texts = append(texts, image.Captions[2], shorten(image.Captions[0]))
	}
	vectors, err := engine.TextVectors(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	snapshot := library.Snapshot()
	defer snapshot.Close()
	records, scores := scanAll(t, snapshot, vectors)
	vectorsAlone := 1.0
	for _, share := range []float64{0.0001, 0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.9, 1} {
		passing := max(int(share*float64(len(records))), 1)
		filter := index.Filter{After: records[passing-1].Date()}
		recall := 0.0
		started := time.Now()
		for i, text := range texts {
			response, err := searcher.Search(t.Context(), contract.Request{
				Text: text, Filter: filter, Weight: &vectorsAlone, RerankBudget: -1, Limit: 10, Show: contract.ShowAll, Explain: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			var found []index.Neighbour
			for _, hit := range response.Hits {
				if hit.Record.Date().Before(filter.After) {
					t.Fatalf("%v does not pass the filter", hit.ID)
				}
				found = append(found, index.Neighbour{ID: hit.ID, Score: float32(hit.Explanation.Vector.Score)})
			}
			if want := min(10, passing); len(found) != want {
				t.Errorf("%.2f %%: %q finds %d of %d", 100*share, text, len(found), want)
			}
			recall += agreement(scores[i][:passing], found, 10) / float64(len(texts))
		}
		t.Logf("filter leaves %6.2f %% (%6d pictures): recall@10 %6.2f, %.1f ms a query", 100*share, passing, recall,
			1000*time.Since(started).Seconds()/float64(len(texts)))
		if recall < 99 {
			t.Errorf("a filter that leaves %.2f %% has recall@10 %.2f", 100*share, recall)
		}
	}
}

// scanAll scores all pictures, the newest first.
func scanAll(t *testing.T, snapshot *local.Snapshot, vectors []embed.Vector) ([]*index.Record, [][]float32) {
	t.Helper()
	records, _, err := snapshot.List(t.Context(), index.Filter{Kinds: []index.Kind{index.KindImage}}, index.Page{})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(records, func(a, b *index.Record) int { return cmp.Or(b.Date().Compare(a.Date()), cmp.Compare(a.ID, b.ID)) })
	scores := make([][]float32, len(vectors))
	for _, record := range records {
		parts, err := index.One(snapshot.Parts(t.Context(), []index.ID{record.ID}))
		if err != nil {
			t.Fatal(fmt.Errorf("record %v: %w", record.ID, err))
		}
		for i, vector := range vectors {
			score, _ := parts.Similarity(vector)
			scores[i] = append(scores[i], score)
		}
	}
	return records, scores
}
