package main

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mekiki/embed"
	"mekiki/embed/builtin"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/search/likeness"
)

// TestJoinedFigures measures ways of joining the likenesses to several pictures: two or three pictures that have one kind of thing in
// common are the query, and all others that show it are to be found. MEKIKI_JOINED is the folder of the demo's library, which nothing
// else may have open for writing.
func TestJoinedFigures(t *testing.T) {
	folder := os.Getenv("MEKIKI_JOINED")
	if folder == "" {
		t.Skip("MEKIKI_JOINED names no library")
	}
	names, parts := readParts(t, folder)
	kinds := galleryThings(t)
	ways := map[string]func(likes []float64) float64{
		"mean":  func(likes []float64) float64 { return likeness.Mean(likes) },
		"best":  func(likes []float64) float64 { return slices.Max(likes) },
		"least": func(likes []float64) float64 { return slices.Min(likes) },
	}
	for _, size := range []int{2, 3} {
		random := rand.New(rand.NewPCG(7, uint64(size)))
		sums, queries := map[string]float64{}, 0
		for _, showing := range kinds {
			if len(showing) < size+3 {
				continue
			}
			for range 2 {
				random.Shuffle(len(showing), func(i, j int) { showing[i], showing[j] = showing[j], showing[i] })
				query, wanted := showing[:size], showing[size:]
				queries++
				likes := likenesses(names, parts, query)
				for way, join := range ways {
					sums[way] += averagePrecision(likes, wanted, join)
				}
			}
		}
		for way, sum := range sums {
			t.Logf("%d pictures, %d queries, %s: mean average precision %.3f", size, queries, way, sum/float64(queries))
		}
	}
}

// likenesses are those of every picture but the query's to each of these.
func likenesses(names []string, parts map[string]embed.Parts, query []string) map[string][]float64 {
	likes := map[string][]float64{}
	for _, name := range names {
		if slices.Contains(query, name) {
			continue
		}
		for _, one := range query {
			likes[name] = append(likes[name], likeness.Of(parts[one], parts[name]))
		}
	}
	return likes
}

func averagePrecision(likes map[string][]float64, wanted []string, join func([]float64) float64) float64 {
	scores := map[string]float64{}
	for name, each := range likes {
		scores[name] = join(each)
	}
	ranked := slices.Sorted(maps.Keys(scores))
	slices.SortStableFunc(ranked, func(a, b string) int { return cmp.Compare(scores[b], scores[a]) })
	found, sum := 0, 0.0
	for i, name := range ranked {
		if slices.Contains(wanted, name) {
			found++
			sum += float64(found) / float64(i+1)
		}
	}
	return sum / float64(len(wanted))
}

// galleryThings lists the pictures that show each kind of thing.
func galleryThings(t *testing.T) [][]string {
	t.Helper()
	content, err := fs.ReadFile(builtin.Gallery(), "truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var truths map[string]struct{ Things []struct{ Kind string } }
	if err := json.Unmarshal(content, &truths); err != nil {
		t.Fatal(err)
	}
	showing := map[string][]string{}
	for name, truth := range truths {
		for _, thing := range truth.Things {
			if !slices.Contains(showing[thing.Kind], name) {
				showing[thing.Kind] = append(showing[thing.Kind], name)
			}
		}
	}
	var lists [][]string
	for _, names := range showing {
		slices.Sort(names)
		lists = append(lists, names)
	}
	slices.SortFunc(lists, slices.Compare[[]string])
	return lists
}

func readParts(t *testing.T, folder string) ([]string, map[string]embed.Parts) {
	t.Helper()
	library, err := local.Open(t.Context(), folder, local.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	snapshot := library.Snapshot()
	defer snapshot.Close()
	var names []string
	parts := map[string]embed.Parts{}
	for id := index.ID(1); id <= 2000; id++ {
		record, err := index.One(snapshot.Records(t.Context(), []index.ID{id}))
		if err != nil {
			t.Fatal(err)
		}
		if record == nil || record.Kind != index.KindImage {
			continue
		}
		name := filepath.Base(record.Path())
		if parts[name], err = index.One(snapshot.Parts(t.Context(), []index.ID{id})); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names, parts
}
