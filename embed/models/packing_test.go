package models_test

import (
	"encoding/json"
	"io/fs"
	"math"
	"path"
	"testing"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/builtin"
	"mekiki/embed/manifest"
	"mekiki/embed/models"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/pixels"
	"mekiki/embed/runner"
)

// packingImages is how many drawings of the gallery's test half packing is tried
// on, and packingTexts how many texts each: its own caption and those of others.
const (
	packingImages = 48
	packingTexts  = 6
)

// packingLoss is what packed image tokens change, over all pairs.
type packingLoss struct {
	pairs, flipped              int     // flipped over a probability of one half
	meanLogit, worstLogit       float64 // of the match logit
	meanProbability, worstPair  float64
	meanCosine, worstCosine     float64 // of the parts
	correct, images, rows       int     // images whose own caption matches best; images; parts of all
	totalBytes, bytesInFloating int
}

// TestPackingLoss matches drawings with captions from image tokens as they are
// and packed. docs/models.md has its figures: go test -v -run PackingLoss ./embed/models.
func TestPackingLoss(t *testing.T) {
	if testing.Short() {
		t.Skip("matches some hundred pairs")
	}
	runtime := orttest.Open(t)
	model, err := models.Builtin(t.Context(), models.Options{Dir: t.TempDir(), Precision: manifest.Float32, Runtime: runtime})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := embed.Open(t.Context(), runner.Options{ModelDir: model.Dir, Families: []manifest.Family{blip2.Family()}, Runtime: runtime})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	images, captions := testDrawings(t)
	tokens, err := engine.ImageTokens(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	for _, packing := range []embed.Packing{embed.PackInt8, embed.PackInt4} {
		loss := measurePacking(t, engine, tokens, captions, packing)
		t.Logf("%v: %.1f %% of the bytes; match logit off by %.4f on average, %.4f at worst; probability by %.5f and %.4f; "+
			"%d of %d pairs change sides; own caption best for %d of %d images; cosine of parts %.6f on average, %.5f at worst",
			packing, 100*float64(loss.totalBytes)/float64(loss.bytesInFloating), loss.meanLogit, loss.worstLogit,
			loss.meanProbability, loss.worstPair, loss.flipped, loss.pairs, loss.correct, loss.images, loss.meanCosine, loss.worstCosine)
		most := map[embed.Packing]float64{embed.PackInt8: 0.005, embed.PackInt4: 0.05}[packing]
		if loss.meanProbability > most {
			t.Errorf("%v changes the probability by %.5f on average, more than %g", packing, loss.meanProbability, most)
		}
	}
}

func measurePacking(t *testing.T, engine *embed.Engine, tokens []embed.ImageTokens, captions []string, packing embed.Packing) packingLoss {
	t.Helper()
	loss := packingLoss{worstCosine: 1, images: len(tokens)}
	for i, exact := range tokens {
		packed, err := embed.Pack(exact, packing)
		if err != nil {
			t.Fatal(err)
		}
		loss.totalBytes += len(packed)
		loss.bytesInFloating += 4 * len(exact.Values)
		lossy, err := embed.Unpack(packed)
		if err != nil {
			t.Fatal(err)
		}
		loss.add(t, engine, exact, lossy, captions, i)
	}
	loss.mean()
	return loss
}

// add compares what the engine makes of image i by its tokens as they are and as they became.
func (l *packingLoss) add(t *testing.T, engine *embed.Engine, exact, lossy embed.ImageTokens, captions []string, i int) {
	t.Helper()
	texts := make([]string, packingTexts)
	for j := range texts {
		texts[j] = captions[(i+j)%len(captions)]
	}
	want, err := engine.Match(t.Context(), exact, texts)
	if err != nil {
		t.Fatal(err)
	}
	got, err := engine.Match(t.Context(), lossy, texts)
	if err != nil {
		t.Fatal(err)
	}
	best := 0
	for j := range texts {
		logit := math.Abs(float64(got[j].Logit() - want[j].Logit()))
		probability := math.Abs(float64(got[j].Probability - want[j].Probability))
		l.pairs++
		l.meanLogit += logit
		l.worstLogit = max(l.worstLogit, logit)
		l.meanProbability += probability
		l.worstPair = max(l.worstPair, probability)
		if (got[j].Probability > 0.5) != (want[j].Probability > 0.5) {
			l.flipped++
		}
		if got[j].Logit() > got[best].Logit() {
			best = j
		}
	}
	if best == 0 {
		l.correct++
	}
	parts, err := engine.ImageParts(t.Context(), []embed.ImageTokens{exact, lossy})
	if err != nil {
		t.Fatal(err)
	}
	for row := range parts[0].Count {
		var cosine float64
		for k, value := range parts[0].Row(row) {
			cosine += float64(value) * float64(parts[1].Row(row)[k])
		}
		l.meanCosine += cosine
		l.worstCosine = min(l.worstCosine, cosine)
		l.rows++
	}
}

// mean divides the sums by how many they are of.
func (l *packingLoss) mean() {
	l.meanLogit /= float64(l.pairs)
	l.meanProbability /= float64(l.pairs)
	l.meanCosine /= float64(l.rows)
}

// testDrawings reads images of the gallery's test half, spread over it, with a
// caption each.
func testDrawings(t *testing.T) (images []*pixels.Image, captions []string) {
	t.Helper()
	content, err := fs.ReadFile(builtin.Gallery(), "annotations.json")
	if err != nil {
		t.Fatal(err)
	}
	type drawing struct {
		Filename, Filepath, Split string
		Sentences                 []struct{ Raw string }
	}
	var annotations struct{ Images []drawing }
	if err := json.Unmarshal(content, &annotations); err != nil {
		t.Fatal(err)
	}
	var held []drawing
	for _, image := range annotations.Images {
		if image.Split == "test" && len(image.Sentences) > 0 {
			held = append(held, image)
		}
	}
	if len(held) < packingImages {
		t.Fatalf("%d images in the test half", len(held))
	}
	for i := range packingImages {
		chosen := held[i*len(held)/packingImages]
		data, err := fs.ReadFile(builtin.Gallery(), path.Join(chosen.Filepath, chosen.Filename))
		if err != nil {
			t.Fatal(err)
		}
		image, err := pixels.Decode(t.Context(), data, pixels.Options{})
		if err != nil {
			t.Fatal(err)
		}
		images, captions = append(images, image), append(captions, chosen.Sentences[0].Raw)
	}
	return images, captions
}
