package suggest

import (
	"os"
	"slices"
	"testing"
	"time"

	"mekiki/index/indextest"
	"mekiki/index/local"
)

// TestSize logs what suggestions of the library in MEKIKI_TEST_SUGGEST_FOLDER take: making them, which a server does in the
// background, and completing a query from its beginning, letter by letter.
func TestSize(t *testing.T) {
	folder := os.Getenv("MEKIKI_TEST_SUGGEST_FOLDER")
	if folder == "" {
		t.Skip("set MEKIKI_TEST_SUGGEST_FOLDER to the folder of a library")
	}
	library, err := local.Open(t.Context(), folder, local.Options{ReadOnly: true})
	indextest.Must(t, err)
	defer func() { indextest.Must(t, library.Close()) }()
	snapshot := library.Snapshot()
	defer func() { indextest.Must(t, snapshot.Close()) }()
	started := time.Now()
	var suggester Suggester
	vocabulary, err := suggester.For(t.Context(), snapshot)
	indextest.Must(t, err)
	t.Logf("%d pictures: made in %v", snapshot.Count(0), time.Since(started).Round(time.Millisecond))
	var took []time.Duration
	found := 0
	for _, query := range []string{"two cats on a sofa", "dog beside number 77", "camera:canon", "a pho", "folder:", "number 99999"} {
		for end := range len(query) {
			began := time.Now()
			found += len(vocabulary.Complete(query[:end+1], 10))
			took = append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	t.Logf("%d queries, %d suggestions: median %v, 99th percentile %v, longest %v", len(took), found, took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
}
