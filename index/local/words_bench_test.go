package local

import (
	"fmt"
	"path/filepath"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
)

// BenchmarkCommitWords writes one record with words to a library of 20,000.
func BenchmarkCommitWords(b *testing.B) {
	library := openTest(b, filepath.Join(b.TempDir(), "library"), Options{})
	benchWords(b, library)
	for number := uint64(0); b.Loop(); number++ {
		put := indextest.Image(b, 1<<20+number, indextest.Small)
		put.Vectors, put.Thumbnail = index.Vectors{}, nil
		mustWrite(b, library, index.Batch{Puts: []index.Put{put}})
	}
}

// BenchmarkSearchWords searches a library of 20,000 records.
func BenchmarkSearchWords(b *testing.B) {
	library := openTest(b, filepath.Join(b.TempDir(), "library"), Options{})
	benchWords(b, library)
	snapshot := library.Snapshot()
	defer snapshot.Close()
	for number := 0; b.Loop(); number++ {
		query := index.KeywordQuery{Text: fmt.Sprintf("a dog beside number %d", number%20_000)}
		if _, err := snapshot.Keyword(b.Context(), query, 100, index.Filter{}); err != nil {
			b.Fatal(err)
		}
	}
}

func benchWords(b *testing.B, library *Library) {
	b.Helper()
	var batch index.Batch
	for number := range uint64(20_000) {
		put := indextest.Image(b, number, indextest.Small)
		put.Vectors, put.Thumbnail = index.Vectors{}, nil
		if batch.Puts = append(batch.Puts, put); len(batch.Puts) == 2000 {
			mustWrite(b, library, batch)
			batch = index.Batch{}
		}
	}
}
