package local

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/keyword"
	"mekiki/index/local/keywords"
	"mekiki/internal/vfs/vfstest"
)

// wordAnswers is what a snapshot says to many questions by words.
func wordAnswers(tb testing.TB, snapshot *Snapshot) map[string][]index.KeywordHit {
	tb.Helper()
	rated := index.Filter{Tags: []string{"test"}}
	near := index.Filter{Near: &index.Near{Latitude: 10, Longitude: 20, Kilometres: 5}}
	questions := map[string]struct {
		query  index.KeywordQuery
		filter index.Filter
		k      int
	}{
		"all":      {index.KeywordQuery{Text: "dog cat"}, index.Filter{}, 1000},
		"best":     {index.KeywordQuery{Text: "dog beside", ScoresOnly: true}, index.Filter{}, 20},
		"filtered": {index.KeywordQuery{Text: "house river"}, rated, 1000},
		"kind":     {index.KeywordQuery{Text: "candle", Kind: index.KindImage}, index.Filter{}, 30},
		"ids":      {index.KeywordQuery{Text: "mountain"}, index.Filter{IDs: []index.ID{6, 14, 22, 200}}, 10},
		"place":    {index.KeywordQuery{Text: "bicycle"}, near, 10},
		"phrase":   {index.KeywordQuery{Phrases: []string{"tree beside"}}, index.Filter{}, 1000},
		"new":      {index.KeywordQuery{Text: "volcano"}, index.Filter{}, 1000},
	}
	answers := map[string][]index.KeywordHit{}
	for name, question := range questions {
		hits, err := snapshot.Keyword(tb.Context(), question.query, question.k, question.filter)
		indextest.Must(tb, err)
		answers[name] = hits
	}
	return answers
}

// fillWords adds images number 0 to n-1, of which some have a place.
func fillWords(tb testing.TB, library *Library, n int) {
	tb.Helper()
	var batch index.Batch
	for number := range uint64(n) {
		put := indextest.Image(tb, number, indextest.Small)
		put.Vectors, put.Thumbnail = index.Vectors{}, nil
		latitude, longitude := 10+float64(number%7)/100, 20.0
		put.Record.Metadata.Latitude, put.Record.Metadata.Longitude = &latitude, &longitude
		batch.Puts = append(batch.Puts, put)
	}
	mustWrite(tb, library, batch)
}

// changeWords changes or removes every image of a library that fillWords filled.
func changeWords(tb testing.TB, library *Library, n int) {
	tb.Helper()
	for start := 0; start < n; start += 50 {
		var batch index.Batch
		for number := uint64(start); number < uint64(start+50); number++ {
			switch number % 3 {
			case 0:
				indextest.Must(tb, library.Remove(tb.Context(), index.ID(number+1)))
			case 1:
				caption := index.Caption{Text: fmt.Sprintf("a volcano and a dog in place of number %d", number)}
				batch.Captions = append(batch.Captions, index.CaptionChange{ID: index.ID(number + 1), Captions: []index.Caption{caption}})
			default:
				batch.Tags = append(batch.Tags, index.TagChange{ID: index.ID(number + 1), Add: []string{"dog"}, Remove: []string{"test"}})
			}
		}
		mustWrite(tb, library, batch)
	}
}

// TestWordsOfASnapshotDoNotChange: a snapshot finds by words what it found when it was
// taken, in the same order and with the same excerpts, however much has changed since,
// while it changes, and in libraries on disk, in memory and open for reading.
func TestWordsOfASnapshotDoNotChange(t *testing.T) {
	const images = 600
	folder := filepath.Join(t.TempDir(), "library")
	onDisk, files := openTest(t, folder, Options{}), vfstest.NewMemory()
	inMemory := openMemory(t, files)
	for name, library := range map[string]*Library{"on disk": onDisk, "in memory": inMemory} {
		t.Run(name, func(t *testing.T) {
			fillWords(t, library, images)
			old := library.Snapshot()
			want := wordAnswers(t, old)
			for _, asked := range []string{"all", "best", "filtered", "kind", "ids", "place", "phrase"} {
				if len(want[asked]) == 0 {
					t.Fatalf("nothing is found: %s", asked)
				}
			}
			if len(want["new"]) > 0 {
				t.Fatal("a new word is found before it is there")
			}
			var searches sync.WaitGroup
			done := make(chan struct{})
			searches.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						if diff := cmp.Diff(want, wordAnswers(t, old)); diff != "" {
							t.Errorf("while the library changes:\n%.500s", diff)
							return
						}
					}
				}
			})
			changeWords(t, library, images)
			close(done)
			searches.Wait()
			if diff := cmp.Diff(want, wordAnswers(t, old)); diff != "" {
				t.Errorf("afterwards:\n%.500s", diff)
			}
			fresh := library.Snapshot()
			if found := wordAnswers(t, fresh)["new"]; len(found) != images/3 {
				t.Errorf("%d of %d records are found by a new word", len(found), images/3)
			}
			indextest.Must(t, fresh.Close())
			if open := library.derived.keywordStore.Index.OpenReaders(); open != 2 {
				t.Errorf("%d readers, of the present and of the old snapshot", open)
			}
			indextest.Must(t, old.Close())
			if open := library.derived.keywordStore.Index.OpenReaders(); open != 1 {
				t.Errorf("%d readers, of the present alone", open)
			}
		})
	}
	reader := openTest(t, folder, Options{ReadOnly: true})
	old := reader.Snapshot()
	defer old.Close()
	want := wordAnswers(t, old)
	var ids []index.ID
	for record := range old.all() {
		ids = append(ids, record.ID)
	}
	indextest.Must(t, onDisk.Remove(t.Context(), ids...))
	_, err := reader.Refresh(t.Context())
	indextest.Must(t, err)
	if diff := cmp.Diff(want, wordAnswers(t, old)); diff != "" {
		t.Errorf("of a reader:\n%.500s", diff)
	}
}

// TestWordsThatMissACommit: when the keyword index cannot follow a commit, snapshots
// of it find no record by words that it does not have any more, miss none that has
// not changed, and the next commit brings everything up to date.
func TestWordsThatMissACommit(t *testing.T) {
	const images = 300
	library := openMemory(t, vfstest.NewMemory())
	fillWords(t, library, images)
	broken, err := keyword.OpenMemory()
	indextest.Must(t, err)
	indextest.Must(t, broken.Close())
	whole := library.derived.keywordStore.Index
	library.derived.keywordStore.Index = keywords.NewSharedIndex(broken)
	changeWords(t, library, images)
	library.derived.keywordStore.Index = whole
	if !library.derived.keywordStore.Behind {
		t.Fatal("the keyword index is not behind")
	}
	behind := library.Snapshot()
	defer behind.Close()
	indextest.Must(t, library.Tag(t.Context(), []index.ID{2}, "x"))
	fresh := library.Snapshot()
	defer fresh.Close()
	late := wordAnswers(t, fresh)
	if len(late["new"]) != images/3 {
		t.Errorf("%d of %d records are found by a new word", len(late["new"]), images/3)
	}
	for name, hits := range wordAnswers(t, behind) {
		if len(hits) > 0 {
			t.Errorf("%s: %d records are found by words of before", name, len(hits))
		}
	}
	changed := index.ID(5)
	library.derived.keywordStore.Index = keywords.NewSharedIndex(broken)
	mustWrite(t, library, index.Batch{Tags: []index.TagChange{{ID: changed, Add: []string{"volcano"}}}})
	library.derived.keywordStore.Index = whole
	one := library.Snapshot()
	defer one.Close()
	hits, err := one.Keyword(t.Context(), index.KeywordQuery{Text: "volcano"}, 1000, index.Filter{})
	indextest.Must(t, err)
	if len(hits) != images/3-1 {
		t.Errorf("%d of %d records that did not change are found", len(hits), images/3-1)
	}
}

// TestWordsOfPlacesAreExact: where the keyword index lets through records just beyond
// a circle, those within are found all the same.
func TestWordsOfPlacesAreExact(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	var batch index.Batch
	const beyond, within = 60, 5
	for number := range uint64(beyond + within) {
		put := indextest.Image(t, number, indextest.Small)
		put.Vectors, put.Thumbnail = index.Vectors{}, nil
		put.Record.Captions = []index.Caption{{Text: "a lighthouse"}}
		latitude, longitude := 50.0, 0.0
		if number < beyond {
			latitude += 10.004 / 111.195 // 10.004 km to the north
		}
		put.Record.Metadata.Latitude, put.Record.Metadata.Longitude = &latitude, &longitude
		batch.Puts = append(batch.Puts, put)
	}
	mustWrite(t, library, batch)
	snapshot := library.Snapshot()
	defer snapshot.Close()
	hits, err := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: "lighthouse"}, within,
		index.Filter{Near: &index.Near{Latitude: 50, Longitude: 0, Kilometres: 10}})
	indextest.Must(t, err)
	if len(hits) != within {
		t.Errorf("%d of %d records in the circle", len(hits), within)
	}
}
