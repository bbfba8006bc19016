package queries

import (
	"context"
	"iter"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/excerpt"
	"mekiki/internal/vfs/vfstest"
	"mekiki/search/contract"
	"mekiki/server/api"
	"mekiki/server/servertest"
	"mekiki/server/suggest"
)

// slowSource is a library that is so large that what it suggests is kept for a while.
type slowSource struct{ index.Library }

func (s slowSource) Reader(ctx context.Context) (index.Reader, error) {
	reader, err := s.Library.Reader(ctx)
	return slowReader{reader}, err
}

type slowReader struct{ index.Reader }

func (r slowReader) All(ctx context.Context) iter.Seq2[*index.Record, error] {
	time.Sleep(300 * time.Millisecond) // longer than what is made again at once
	return r.Reader.All(ctx)
}

// TestExcerptsAreNotCorrected: who sees a part of a library learns no word of the rest, whoever searched before, and what is
// kept for all of it does not make way.
func TestExcerptsAreNotCorrected(t *testing.T) {
	library := servertest.Open(t, "/library", vfstest.NewMemory())
	ids := servertest.Put(t, library,
		index.Record{Kind: index.KindImage, Hash: index.Hash{1}, Format: "jpeg", Captions: []index.Caption{{Text: "two cats"}}, Files: []index.File{{Path: "/a.jpg"}}},
		index.Record{Kind: index.KindImage, Hash: index.Hash{2}, Format: "jpeg", Tags: []string{"divorce"}, Files: []index.File{{Path: "/b.jpg"}}})
	if _, err := library.Write(t.Context(), index.Batch{Given: []index.GivenChange{{ID: ids[0], AddCollections: []string{"Shown"}}}}); err != nil {
		t.Fatal(err)
	}
	room := Room{Library: api.Library{Library: excerpt.Guard(slowSource{library})}, Suggester: &suggest.Suggester{}}
	proposed := func(ctx context.Context) string {
		response := contract.Response{Query: "divorse", Stage: contract.StageFinal}
		room.Correct(ctx, &response)
		return response.DidYouMean
	}
	for range 2 {
		if got := proposed(t.Context()); got != "divorce" {
			t.Errorf("the owner is proposed %q", got)
		}
		if got := proposed(excerpt.With(t.Context(), excerpt.Terms{Collection: "Shown"})); got != "" {
			t.Errorf("a visitor is proposed %q", got)
		}
	}
}
