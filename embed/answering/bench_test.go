package answering_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/blip2"
	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/runner"
)

// languages are a model of about the built-in one's sizes, and larger ones behind the same Q-Former.
func languages() []modelconfig.Config {
	llama := modelconfig.Language{
		Architecture: modelconfig.Llama, HiddenSize: 256, Layers: 6, Heads: 4, KeyValueHeads: 2, HeadWidth: 64, IntermediateSize: 704,
		VocabularySize: 8192, Words: 8192, Positions: 512, Activation: "silu", Gated: true, NormEpsilon: 1e-5, RotaryTheta: 10000, Tied: true,
		End: []int64{2},
	}
	larger := llama
	larger.HiddenSize, larger.Layers, larger.Heads, larger.KeyValueHeads, larger.IntermediateSize, larger.VocabularySize = 576, 12, 9, 3, 1536, 16384
	larger.Words = larger.VocabularySize
	t5 := modelconfig.Language{
		Architecture: modelconfig.T5, HiddenSize: 512, Layers: 8, DecoderLayers: 8, Heads: 6, KeyValueHeads: 6, HeadWidth: 64, IntermediateSize: 1024,
		VocabularySize: 32128, Words: 32100, Activation: "gelu", Gated: true, NormEpsilon: 1e-6, RelativeBuckets: 32, RelativeDistance: 128,
		End: []int64{1},
	}
	var configs []modelconfig.Config
	for name, language := range map[string]modelconfig.Language{"llama-6x256": llama, "llama-12x576": larger, "t5-8x512": t5} {
		config := blip2test.Small()
		config.Name, config.ProjectionSize, config.Language = name, 0, &language
		configs = append(configs, config)
	}
	slices.SortFunc(configs, func(a, b modelconfig.Config) int { return strings.Compare(a.Name, b.Name) })
	return configs
}

// BenchmarkAnswers reads a prompt of 28 positions and writes answers of random weights, all of one length.
func BenchmarkAnswers(b *testing.B) {
	for _, config := range languages() {
		b.Run(config.Name, func(b *testing.B) {
			reference := blip2test.LanguageReference{Config: config, Seed: 1}
			dir := compileSecond(b, reference, blip2.CompileOptions{Precision: manifest.Float32, SharedVision: true})
			engine := openAnswerer(b, runner.Options{ModelDir: dir})
			if err := engine.Warm(b.Context()); err != nil {
				b.Fatal(err)
			}
			tokens := embed.ImageTokens{Rows: config.Vision.Tokens(), Columns: config.Vision.HiddenSize}
			tokens.Values = make([]float32, tokens.Rows*tokens.Columns)
			states, err := engine.States(b.Context(), []embed.ImageTokens{tokens})
			if err != nil {
				b.Fatal(err)
			}
			prompt := answering.Prompt{States: states[0], Text: strings.Repeat("7 ", 12)}
			run := func(name string, count int, do func() error) {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						if err := do(); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N*count), "ms/item")
				})
			}
			write := func(count int, options decode.Options) func() error {
				options.MinimumTokens = options.MaximumTokens
				prompts := slices.Repeat([]answering.Prompt{prompt}, count)
				return func() error { _, err := engine.Generate(b.Context(), prompts, options, nil); return err }
			}
			run("states", 1, func() error { _, err := engine.States(b.Context(), []embed.ImageTokens{tokens}); return err })
			run("first-token", 1, write(1, decode.Options{MaximumTokens: 1}))
			run("answer-10", 1, write(1, decode.Options{MaximumTokens: 10}))
			run("answer-10-beams-5", 1, write(1, decode.Options{Method: decode.Beam, MaximumTokens: 10}))
			for _, count := range []int{8, 32} {
				run(fmt.Sprintf("answers-%d-of-10", count), count, write(count, decode.Options{MaximumTokens: 10}))
			}
			run("score-8", 8, func() error {
				_, err := engine.Score(b.Context(), prompt, []string{"3", "4", "5 6", "7 8 9", "10", "11", "12 13", "14"})
				return err
			})
		})
	}
}
