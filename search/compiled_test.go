package search

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/pixels"
	"mekiki/embed/runner"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/vfs/vfstest"
	"mekiki/search/contract"
	"mekiki/search/inputs"
	"mekiki/search/lookup"
)

// withoutMatching is a checkpoint that lacks the matching head.
type withoutMatching struct{ *checkpoint.Random }

func (w withoutMatching) Has(name string) bool {
	return !strings.HasPrefix(name, "itm_head.") && w.Random.Has(name)
}

func (w withoutMatching) Shape(name string) ([]int, bool) {
	shape, ok := w.Random.Shape(name)
	return shape, ok && w.Has(name)
}

// compiledWithoutMatching opens a compiled model of random weights that embeds and captions, and cannot match.
func compiledWithoutMatching(t *testing.T) *embed.Engine {
	t.Helper()
	config := modelconfig.PublishedConfig(28)
	config.Vision.HiddenSize, config.Vision.Layers, config.Vision.Heads, config.Vision.IntermediateSize = 16, 1, 2, 16
	config.QFormer.HiddenSize, config.QFormer.Layers, config.QFormer.Heads, config.QFormer.IntermediateSize = 16, 2, 2, 16
	config.QFormer.VocabularySize, config.QFormer.MaxPositions, config.QueryTokens, config.ProjectionSize = 64, 24, 4, 8
	random, err := checkpoint.NewRandom(config, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	runtime, dir := orttest.Open(t), filepath.Join(t.TempDir(), "model")
	if _, err := blip2.Compile(t.Context(), withoutMatching{random}, dir, blip2.CompileOptions{Runtime: runtime, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	engine, err := embed.Open(t.Context(), runner.Options{ModelDir: dir, Families: []manifest.Family{blip2.Family()}, Runtime: runtime, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}

// TestModelWithoutMatching searches a library with a compiled model whose match graphs are left out: vectors and words
// decide the order, and the answer says what the model cannot do.
func TestModelWithoutMatching(t *testing.T) {
	engine := compiledWithoutMatching(t)
	library, err := local.Open(t.Context(), "/library", local.Options{FileSystem: vfstest.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	if err := library.AddSpace(t.Context(), engine.Space()); err != nil {
		t.Fatal(err)
	}
	var batch index.Batch
	// The random vocabulary has these words.
	for i, caption := range []string{"word10 word11", "word12 word13", "word14"} {
		image, err := pixels.New(28, 28)
		if err != nil {
			t.Fatal(err)
		}
		for j, bits := range checkpoint.RandomBits("picture", uint64(i), len(image.Pix)) {
			image.Pix[j] = byte(bits)
		}
		tokens, err := engine.ImageTokens(t.Context(), []*pixels.Image{image})
		if err != nil {
			t.Fatal(err)
		}
		parts, err := engine.ImageParts(t.Context(), tokens)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := embed.Pack(tokens[0], embed.PackInt8)
		if err != nil {
			t.Fatal(err)
		}
		batch.Puts = append(batch.Puts, index.Put{
			Record: index.Record{Kind: index.KindImage, Hash: index.Hash{byte(i + 1)}, Format: "jpeg",
				Files: []index.File{{Path: fmt.Sprintf("/%d.jpg", i)}}, Captions: []index.Caption{{Text: caption, Match: -1}}},
			Vectors: index.Vectors{Space: engine.Space(), Parts: parts[0], Tokens: packed},
		})
	}
	written, err := library.Write(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	searcher, err := New(library, engine, Options{})
	if err != nil {
		t.Fatal(err)
	}
	words := 0.0
	for _, weight := range []*float64{nil, &words} {
		response, err := searcher.Search(t.Context(), contract.Request{Text: "word12 word13", Show: contract.ShowAll, Weight: weight})
		if err != nil {
			t.Fatal(err)
		}
		matched := slices.ContainsFunc(response.Hits, func(hit contract.Hit) bool { return hit.Basis == contract.BasisMatch })
		if len(response.Hits) == 0 || matched || response.Reranked != 0 || response.Stage != contract.StageFinal {
			t.Errorf("%s answer of %d hits, %d reranked", response.Stage, len(response.Hits), response.Reranked)
		}
		if weight == nil && len(response.Hits) != 3 || weight != nil && response.Hits[0].ID != written.IDs[1] {
			t.Errorf("weight %v: %d hits, the first is record %d", weight, len(response.Hits), response.Hits[0].ID)
		}
		if !slices.Contains(response.Warnings, inputs.NoMatcher) {
			t.Errorf("warnings %q do not say that the model cannot match", response.Warnings)
		}
	}
	lookup, err := searcher.Lookup(t.Context(), lookup.Request{Record: written.IDs[0], Show: contract.ShowAll})
	if err != nil {
		t.Fatal(err)
	}
	if len(lookup.Texts) != 3 || lookup.Reranked != 0 || !slices.Contains(lookup.Warnings, inputs.NoMatcher) {
		t.Errorf("looked up %d texts, %d of them matched, warnings %q", len(lookup.Texts), lookup.Reranked, lookup.Warnings)
	}
}
