package search

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/scoring"
)

func TestMain(m *testing.M) {
	// bleve starts its analysis workers when it is imported, and keeps them.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"))
}

func pointer[T any](value T) *T { return &value }

const noRerank = -1 * time.Nanosecond

func TestSearchFindsWhatWasAskedFor(t *testing.T) {
	w := populated(300)
	s := newTestSearcher(t, w, Options{})
	response := search(t, s, contract.Request{Text: "a cat beside a pizza", Limit: 50, Explain: true})
	if response.Verdict != scoring.VerdictStrong || response.Stage != contract.StageReranked || len(response.Hits) == 0 {
		t.Fatalf("got %s %s with %d hits", response.Verdict, response.Stage, len(response.Hits))
	}
	for i, hit := range response.Hits {
		things := w.things[hit.ID]
		if hit.Verdict == scoring.VerdictStrong && !(slices.Contains(things, "cat") && slices.Contains(things, "pizza")) {
			t.Errorf("hit %d shows %v and is called strong", i+1, things)
		}
		if hit.Rank != i+1 || hit.Path == "" || hit.Caption == "" || hit.Reason == "" || hit.Record == nil {
			t.Errorf("hit %d is not filled in: %+v", i+1, hit)
		}
		if hit.Basis == contract.BasisMatch && (hit.Explanation == nil || hit.Explanation.Match == nil || len(hit.Explanation.Match.Clauses) != 1) {
			t.Errorf("hit %d is not explained: %+v", i+1, hit.Explanation)
		}
	}
	if w.open.Load() != 0 {
		t.Errorf("%d snapshots are still open", w.open.Load())
	}
}

func TestEmptyLibrary(t *testing.T) {
	s := newTestSearcher(t, newWorld(), Options{})
	response := search(t, s, contract.Request{Text: "cat"})
	if response.Verdict != scoring.VerdictNone || response.Hits == nil || len(response.Hits) != 0 {
		t.Errorf("got %+v", response)
	}
}

func TestSameQuerySameAnswer(t *testing.T) {
	w := populated(300)
	for range 20 { // pictures with nothing between them but their number
		twin := w.add("/library/twins/x.jpg", "cat", "dog")
		w.parts[twin.ID] = w.parts[301]
	}
	one, two := newTestSearcher(t, w, Options{}), newTestSearcher(t, w, Options{})
	for _, request := range []contract.Request{
		{Text: "cat pizza"}, {Text: "cat; dog -bird"}, {Record: 3}, {Record: 3, Text: "at a table"}, {Text: `"cat"`},
		{Text: "cat", Fusion: contract.FusionReciprocalRank, RerankBudget: noRerank},
	} {
		request.Explain, request.Show = true, contract.ShowAll
		var answers []string
		for _, s := range []*Searcher{one, two, one, two} {
			response := search(t, s, request)
			response.Timings = contract.Timings{}
			data, err := json.Marshal(response)
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, string(data))
		}
		for _, answer := range answers[1:] {
			if diff := cmp.Diff(answers[0], answer); diff != "" {
				t.Errorf("%q: %s", request.Text, diff)
			}
		}
	}
}

func TestSimilar(t *testing.T) {
	w := populated(200)
	source := w.add("/library/a.jpg", "cat", "pizza")
	twin := w.add("/library/b.jpg", "cat", "pizza")
	s := newTestSearcher(t, w, Options{})
	response, err := s.Similar(t.Context(), contract.Request{Record: source.ID})
	if err != nil {
		t.Fatal(err)
	}
	if len(response.Hits) == 0 || slices.Contains(hitIDs(response), source.ID) {
		t.Fatalf("got %v", hitIDs(response))
	}
	if things := w.things[response.Hits[0].ID]; len(things) != 2 || !slices.Contains(things, "cat") || !slices.Contains(things, "pizza") {
		t.Errorf("first shows %v", things)
	}
	if hit := response.Hits[0]; hit.Basis != contract.BasisSimilarity || hit.Probability < 0.5 {
		t.Errorf("got %s %v", hit.Basis, hit.Probability)
	}
	image, _ := pixels.New(4, 4)
	image.Pix[0] = byte(twin.ID)
	byImage, err := s.Similar(t.Context(), contract.Request{Image: image, Text: "dog", Show: contract.ShowAll, Limit: 100, Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, hit := range byImage.Hits {
		if hit.Verdict == scoring.VerdictStrong && !slices.Contains(w.things[hit.ID], "dog") {
			t.Errorf("with words: %v is strong", w.things[hit.ID])
		}
		if likeness := likenessOf(byImage, hit.ID); hit.Probability > likeness+1e-6 {
			t.Errorf("with words: %v has probability %v and likeness %v", w.things[hit.ID], hit.Probability, likeness)
		}
	}
	_, err = s.Similar(t.Context(), contract.Request{Text: "cat"})
	wantCode(t, err, contract.CodeEmptyRequest)
}

// likenessOf is the likeness that a hit is explained with.
func likenessOf(response contract.Response, id index.ID) float64 {
	for _, hit := range response.Hits {
		if hit.ID == id && hit.Explanation.Similarity != nil {
			return hit.Explanation.Similarity.Score
		}
	}
	return 0
}

func TestTextsCanBeSearched(t *testing.T) {
	w := populated(20)
	text := w.addText("a zeppelin above the town")
	s := newTestSearcher(t, w, Options{})
	response := search(t, s, contract.Request{Text: "zeppelin kind:text"})
	if len(response.Hits) != 1 || response.Hits[0].ID != text.ID || response.Hits[0].Kind != "text" || response.Hits[0].Text == "" {
		t.Errorf("got %+v", response.Hits)
	}
}

func TestWordsAloneWithoutModel(t *testing.T) {
	w := populated(100)
	s, err := New(w, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	response := search(t, s, contract.Request{Text: "scene0042"})
	if len(response.Hits) != 1 || response.Hits[0].ID != 43 || len(response.Warnings) != 1 {
		t.Errorf("got %v with %q", hitIDs(response), response.Warnings)
	}
}

func TestLongTextWarns(t *testing.T) {
	s := newTestSearcher(t, populated(50), Options{})
	response := search(t, s, contract.Request{Text: strings.Repeat("cat ", 40)})
	if len(response.Warnings) != 1 || !strings.Contains(response.Warnings[0], "10 word pieces at its end") {
		t.Errorf("got %q", response.Warnings)
	}
}

func TestResponseJSON(t *testing.T) {
	w := newWorld()
	w.add("/library/a/one.jpg", "cat")
	s := newTestSearcher(t, w, Options{})
	response := search(t, s, contract.Request{Text: "cat"})
	response.Timings = contract.Timings{}
	data, err := json.MarshalIndent(response, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"query", "hits", "total", "verdict", "stage", "timings"} {
		if _, ok := got[name]; !ok {
			t.Errorf("no field %q in %s", name, data)
		}
	}
	hit := got["hits"].([]any)[0].(map[string]any)
	for _, name := range []string{"id", "path", "caption", "probability", "verdict", "score", "rank", "kind", "basis", "reason"} {
		if _, ok := hit[name]; !ok {
			t.Errorf("no field %q in %s", name, data)
		}
	}
	if hit["id"] != "1" {
		t.Errorf("id is %v, want a string", hit["id"])
	}
}
