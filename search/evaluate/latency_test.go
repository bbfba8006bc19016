package evaluate

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/builtin"
	"mekiki/embed/manifest"
	"mekiki/embed/models"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/pixels"
	"mekiki/embed/runner"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/testsize"
	"mekiki/search"
	"mekiki/search/contract"
	"mekiki/search/evaluate/datasets"
	"mekiki/search/scoring"
	"mekiki/search/words"
)

// TestLatency logs what a query without reranking costs, stage by stage, in a
// library of MEKIKI_LATENCY_IMAGES pictures (2,000 unless told otherwise): the
// parts are those of gallery pictures, two by two and with noise; the captions
// and the queries are the gallery's. MEKIKI_LATENCY_LIBRARY names a folder in
// which the library is kept for the next run. docs/evaluation.md has figures.
func TestLatency(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a library")
	}
	engine, library, dataset := latencyLibrary(t)
	calibration, err := scoring.ParseCalibration(engine.Manifest().Calibration)
	if err != nil {
		t.Fatal(err)
	}
	searcher, err := search.New(library, engine, search.Options{Calibration: &calibration})
	if err != nil {
		t.Fatal(err)
	}
	logLatency(t, searcher, dataset)
}

// latencyLibrary opens the library of synthetic pictures, and fills it if need
// be.
func latencyLibrary(t *testing.T) (*embed.Engine, *local.Library, datasets.Dataset) {
	t.Helper()
	images := testsize.Of(t, "MEKIKI_LATENCY_IMAGES", 2000)
	folder := os.Getenv("MEKIKI_LATENCY_LIBRARY")
	if folder == "" {
		folder = filepath.Join(t.TempDir(), "library")
	}
	engine := builtinEngine(t, manifest.Int8)
	dataset, err := datasets.ReadAnnotations(builtin.Gallery(), "annotations.json")
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Now()
	library, err := local.Open(t.Context(), folder, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { library.Close() })
	snapshot := library.Snapshot()
	defer snapshot.Close()
	if snapshot.Count(index.KindImage) < images {
		fillLatencyLibrary(t, library, engine, dataset, images)
	}
	t.Logf("%d pictures, ready in %.1f s", images, time.Since(opened).Seconds())
	return engine, library, dataset
}

// logLatency asks captions, and the first two words of captions, that were never
// asked before.
func logLatency(t *testing.T, searcher *search.Searcher, dataset datasets.Dataset) {
	for _, kind := range []string{"warm up", "whole captions", "short queries", "with a filter"} {
		var timings []contract.Timings
		for number, image := range sample(dataset.Images, 200) {
			text := image.Captions[0]
			switch kind {
			case "warm up":
				text = image.Captions[1]
			case "short queries":
				text = shorten(image.Captions[2])
			case "with a filter":
				text = image.Captions[3] + fmt.Sprintf(" folder:folder%d", number%50)
			}
			response, err := searcher.Search(t.Context(), contract.Request{Text: text, RerankBudget: -1})
			if err != nil {
				t.Fatal(err)
			}
			timings = append(timings, response.Timings)
		}
		if kind == "warm up" {
			continue
		}
		latency := latencyOf(timings)
		t.Logf("%-15s p50/p99 ms: total %6.1f/%6.1f; embed %5.1f/%5.1f; vectors %5.1f/%5.1f; words %5.1f/%5.1f; fuse %4.1f/%4.1f", kind,
			latency.Total.P50, latency.Total.P99, latency.Embed.P50, latency.Embed.P99, latency.Vector.P50, latency.Vector.P99,
			latency.Keyword.P50, latency.Keyword.P99, latency.Fuse.P50, latency.Fuse.P99)
	}
}

// shorten gives the first three words of a text that are more than grammar.
func shorten(text string) string {
	for end := 1; end <= len(text); end++ {
		if (end == len(text) || text[end] == ' ') && words.Count(text[:end]) == 3 {
			return text[:end]
		}
	}
	return text
}

// fillLatencyLibrary writes synthetic pictures.
func fillLatencyLibrary(t *testing.T, library *local.Library, engine *embed.Engine, dataset datasets.Dataset, images int) {
	t.Helper()
	space := engine.Space()
	if err := library.AddSpace(t.Context(), space); err != nil {
		t.Fatal(err)
	}
	parts := galleryParts(t, engine, dataset)
	random := rand.New(rand.NewPCG(4, 2))
	for start := 0; start < images; start += 1000 {
		var batch index.Batch
		for number := start; number < min(start+1000, images); number++ {
			first, second := random.IntN(len(parts)), random.IntN(len(parts))
			captions := dataset.Images[first].Captions
			batch.Puts = append(batch.Puts, index.Put{
				Record: index.Record{
					Kind: index.KindImage, Hash: sha256.Sum256([]byte(strconv.Itoa(number))), Format: "jpeg", Width: 640, Height: 480, Bytes: 1,
					Files:    []index.File{{Path: fmt.Sprintf("/pictures/folder%d/IMG_%06d.jpg", number%50, number), Bytes: 1, Modified: time.Unix(int64(number)*3600, 0)}},
					Captions: []index.Caption{{Text: captions[random.IntN(len(captions))], Match: -1, Model: space.Fingerprint}},
				},
				Vectors: index.Vectors{Space: space, Parts: mixParts(random, parts[first], parts[second])},
			})
		}
		if _, err := library.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
}

// mixParts takes most of the parts of one picture and some of another, and adds
// noise.
func mixParts(random *rand.Rand, a, b embed.Parts) embed.Parts {
	mixed := embed.Parts{Count: a.Count, Width: a.Width, Values: make([]float32, len(a.Values))}
	for part := range a.Count {
		from := a.Row(part)
		if random.IntN(4) == 0 {
			from = b.Row(part)
		}
		row, sum := mixed.Row(part), 0.0
		for i, value := range from {
			row[i] = value + float32(random.NormFloat64())*0.03
			sum += float64(row[i]) * float64(row[i])
		}
		for i := range row {
			row[i] /= float32(math.Sqrt(sum))
		}
	}
	return mixed
}

// galleryParts embeds the gallery.
func galleryParts(t *testing.T, engine *embed.Engine, dataset datasets.Dataset) []embed.Parts {
	t.Helper()
	var all []embed.Parts
	for start := 0; start < len(dataset.Images); start += buildBatch {
		var pictures []*pixels.Image
		for _, image := range dataset.Images[start:min(start+buildBatch, len(dataset.Images))] {
			data, err := fs.ReadFile(builtin.Gallery(), image.Path)
			if err != nil {
				t.Fatal(err)
			}
			picture, err := pixels.Decode(t.Context(), data, pixels.Options{})
			if err != nil {
				t.Fatal(err)
			}
			pictures = append(pictures, picture)
		}
		parts, err := partsOf(t.Context(), engine, pictures)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parts...)
	}
	return all
}

func partsOf(ctx context.Context, engine *embed.Engine, pictures []*pixels.Image) ([]embed.Parts, error) {
	tokens, err := engine.ImageTokens(ctx, pictures)
	if err != nil {
		return nil, err
	}
	return engine.ImageParts(ctx, tokens)
}

// builtinEngine compiles and opens the built-in model.
func builtinEngine(t *testing.T, precision manifest.Precision) *embed.Engine {
	t.Helper()
	runtime := orttest.Open(t)
	model, err := models.Builtin(t.Context(), models.Options{Dir: t.TempDir(), Precision: precision, Runtime: runtime})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := embed.Open(t.Context(), runner.Options{ModelDir: model.Dir, Families: []manifest.Family{blip2.Family()}, Runtime: runtime})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return engine
}
