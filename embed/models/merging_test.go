package models_test

import (
	"slices"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/manifest"
	"mekiki/embed/models"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/runner"
)

// TestMergingLoss matches drawings with captions from image tokens of the built-in model and of the one that merges tokens.
// docs/measurements/speed.md has its figures: go test -v -run MergingLoss ./embed/models.
func TestMergingLoss(t *testing.T) {
	if testing.Short() {
		t.Skip("matches some hundred pairs")
	}
	runtime := orttest.Open(t)
	options := models.Options{Dir: t.TempDir(), Precision: manifest.Float32, Runtime: runtime}
	open := func(options models.Options) *embed.Engine {
		model, err := models.Builtin(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		engine, err := embed.Open(t.Context(), runner.Options{ModelDir: model.Dir, Families: []manifest.Family{blip2.Family()}, Runtime: runtime})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = engine.Close() })
		return engine
	}
	whole := open(options)
	options.Fast = true
	fast := open(options)
	if whole.Space() == fast.Space() || !fast.Manifest().Fast() || whole.Manifest().Fast() || !strings.Contains(fast.ModelDir(), "-fp32-fast-") {
		t.Errorf("spaces %v and %v, the fast model in %s", whole.Space(), fast.Space(), fast.ModelDir())
	}
	if _, lent := whole.Vision().From(fast.Vision()); !lent {
		t.Error("a second stage would not read the image tokens of the fast model")
	}
	images, captions := testDrawings(t)
	exact, err := whole.ImageTokens(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	merged, err := fast.ImageTokens(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	vision := fast.Manifest().Config.Vision
	loss := packingLoss{worstCosine: 1, images: len(images)}
	for i := range images {
		if left := distinct(merged[i]); left != vision.LayerTokens(vision.Layers) || merged[i].Rows != exact[i].Rows {
			t.Fatalf("image %d has %d different tokens of %d, want %d of %d", i, left, merged[i].Rows, vision.LayerTokens(vision.Layers), exact[i].Rows)
		}
		for j, tokens := range []embed.ImageTokens{exact[i], merged[i]} {
			packed, err := embed.Pack(tokens, embed.PackInt8)
			if err != nil {
				t.Fatal(err)
			}
			*[]*int{&loss.bytesInFloating, &loss.totalBytes}[j] += len(packed)
		}
		loss.add(t, whole, exact[i], merged[i], captions, i)
	}
	loss.mean()
	t.Logf("%d merged in each layer: packed tokens take %.1f %% of the bytes; match logit off by %.4f on average, %.4f at worst; probability by %.5f and %.4f; "+
		"%d of %d pairs change sides; own caption best for %d of %d images; cosine of parts %.6f on average, %.5f at worst", vision.Merged,
		100*float64(loss.totalBytes)/float64(loss.bytesInFloating), loss.meanLogit, loss.worstLogit,
		loss.meanProbability, loss.worstPair, loss.flipped, loss.pairs, loss.correct, loss.images, loss.meanCosine, loss.worstCosine)
	if loss.meanCosine < 0.95 || loss.correct < loss.images*9/10 {
		t.Errorf("merging loses more than it may: cosine of parts %.4f, own caption best for %d of %d", loss.meanCosine, loss.correct, loss.images)
	}
}

// distinct counts the rows of tokens that differ.
func distinct(tokens embed.ImageTokens) int {
	var seen [][]float32
	for row := range slices.Chunk(tokens.Values, tokens.Columns) {
		if !slices.ContainsFunc(seen, func(other []float32) bool { return slices.Equal(other, row) }) {
			seen = append(seen, row)
		}
	}
	return len(seen)
}
