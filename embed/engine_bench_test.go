package embed_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/pixels"
	"mekiki/embed/runner"
)

// medium is a model between the small one and the published ones.
func medium() modelconfig.Config {
	config := blip2test.Small()
	config.Name, config.QueryTokens = "medium", 32
	config.Vision.HiddenSize, config.Vision.Layers, config.Vision.Heads, config.Vision.IntermediateSize = 512, 8, 8, 2048
	config.QFormer.HiddenSize, config.QFormer.Layers, config.QFormer.Heads, config.QFormer.IntermediateSize = 512, 6, 8, 2048
	return config
}

func benchmarkEngine(b *testing.B, runtime *ort.Runtime, config modelconfig.Config, precision manifest.Precision) *embed.Engine {
	b.Helper()
	dir := compileRandom(b, config, 1, true, blip2.CompileOptions{Precision: precision, Runtime: runtime})
	engine := openEngine(b, runner.Options{ModelDir: dir, Runtime: runtime})
	if err := engine.Warm(b.Context()); err != nil {
		b.Fatal(err)
	}
	return engine
}

func BenchmarkEngine(b *testing.B) {
	runtime := orttest.Open(b)
	for _, config := range []modelconfig.Config{blip2test.Small(), medium()} {
		for _, precision := range []manifest.Precision{manifest.Float32, manifest.Int8} {
			b.Run(config.Name+"/"+string(precision), func(b *testing.B) {
				engine := benchmarkEngine(b, runtime, config, precision)
				for _, count := range []int{1, 16} {
					b.Run(fmt.Sprint(count), func(b *testing.B) { benchmarkMethods(b, engine, count) })
				}
			})
		}
	}
}

func benchmarkMethods(b *testing.B, engine *embed.Engine, count int) {
	image, err := pixels.New(128, 128)
	if err != nil {
		b.Fatal(err)
	}
	images := slices.Repeat([]*pixels.Image{image}, count)
	tokens, err := engine.ImageTokens(b.Context(), images)
	if err != nil {
		b.Fatal(err)
	}
	texts := slices.Repeat([]string{strings.Repeat("word10 ", 10)}, count)
	run := func(name string, do func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N*count), "ms/item")
		})
	}
	run("image", func() error { _, err := engine.ImageTokens(b.Context(), images); return err })
	run("parts", func() error { _, err := engine.ImageParts(b.Context(), tokens); return err })
	run("text", func() error { _, err := engine.TextVectors(b.Context(), texts); return err })
	run("match", func() error { _, err := engine.MatchPairs(b.Context(), tokens, texts); return err })
	for _, method := range []embed.Method{embed.Greedy, embed.Beam} {
		run("caption-"+string(method), func() error {
			_, err := engine.CaptionImages(b.Context(), tokens, embed.CaptionOptions{Method: method, MinimumLength: 10, MaximumLength: 12})
			return err
		})
	}
}
