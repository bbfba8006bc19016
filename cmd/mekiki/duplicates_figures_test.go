package main

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local"
	"mekiki/internal/testsize"
	"mekiki/search"
	"mekiki/search/duplicates"
)

// TestDuplicatesFigures logs what finding duplicates costs among MEKIKI_TEST_RECORDS pictures of MEKIKI_TEST_PARTS vectors
// each, of which every tenth is another shot of the one before: all compared, asked for, and 100 more compared.
func TestDuplicatesFigures(t *testing.T) {
	count, parts := testsize.Of(t, "MEKIKI_TEST_RECORDS", 300), testsize.Of(t, "MEKIKI_TEST_PARTS", 4)
	space := embed.Space{Fingerprint: "scale", Parts: parts, Width: 256}
	library, err := local.Open(t.Context(), filepath.Join(t.TempDir(), "library"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	if err := library.AddSpace(t.Context(), space); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 5))
	number := uint64(0)
	add := func(pictures int) {
		for end := number + uint64(pictures); number < end; {
			var batch index.Batch
			for ; len(batch.Puts) < 1000 && number < end; number++ {
				put := indextest.ScalePut(number, space)
				put.Record.PerceptualHash = random.Uint64() | 1
				if last := len(batch.Puts) - 1; number%10 == 9 && last >= 0 {
					put.Vectors.Parts = batch.Puts[last].Vectors.Parts
					put.Record.PerceptualHash = batch.Puts[last].Record.PerceptualHash ^ 1<<40
				}
				batch.Puts = append(batch.Puts, put)
			}
			if _, err := library.Write(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(count)
	searcher, err := search.New(library, nil, search.Options{Scenes: duplicates.NewKept(duplicates.FileOf(library.DerivedFolder()), nil)})
	if err != nil {
		t.Fatal(err)
	}
	timed := func(what string, work func() int) {
		began := time.Now()
		result := work()
		t.Logf("%-40s %8.2f s: %d", what, time.Since(began).Seconds(), result)
	}
	compare := func() int {
		done, err := searcher.CompareScenes(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return done.Compared
	}
	find := func(level duplicates.Level) func() int {
		return func() int {
			response, err := searcher.Duplicates(t.Context(), duplicates.Request{Level: level})
			if err != nil || response.Pending > 0 {
				t.Fatal(response.Pending, err)
			}
			return response.Total
		}
	}
	timed("groups of the same picture", find(duplicates.LevelPicture))
	timed("all compared for scenes", compare)
	timed("groups of the same scene", find(duplicates.LevelScene))
	add(100)
	timed("100 more compared", compare)
	timed("groups of the same scene", find(duplicates.LevelScene))
	if total := find(duplicates.LevelScene)(); total < count/10-1 {
		t.Errorf("%d groups", total)
	}
}
