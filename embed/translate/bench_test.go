package translate_test

import (
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/marian"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/runner"
	"mekiki/embed/translate"
	"mekiki/internal/usage"
)

// BenchmarkTranslate writes eight tokens for a query of six words with the model in the folder that MEKIKI_TRANSLATOR names, or a
// tiny one.
func BenchmarkTranslate(b *testing.B) {
	dir := os.Getenv("MEKIKI_TRANSLATOR")
	if dir == "" {
		dir = compile(b, "small", manifest.Int8)
	}
	threads, _ := strconv.Atoi(os.Getenv("MEKIKI_THREADS"))
	engine, err := translate.Open(b.Context(), runner.Options{ModelDir: dir, Families: []manifest.Family{marian.Family()}, Runtime: orttest.Open(b), Threads: threads})
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close()
	for name, options := range map[string]decode.Options{
		"greedy": {Method: decode.Greedy, MinimumTokens: 8, MaximumTokens: 8}, "beams-6": {Method: decode.Beam, Beams: 6, MinimumTokens: 8, MaximumTokens: 8},
	} {
		b.Run(name, func(b *testing.B) {
			engine.Decoding = options
			if err := engine.Warm(b.Context()); err != nil {
				b.Fatal(err)
			}
			began, least := usage.ProcessorTime(), time.Duration(math.MaxInt64)
			for b.Loop() {
				begun := time.Now()
				if _, err := engine.Translate(b.Context(), []string{"浜辺 に いる 二匹 の 犬"}); err != nil {
					b.Fatal(err)
				}
				least = min(least, time.Since(begun))
			}
			b.ReportMetric((usage.ProcessorTime()-began).Seconds()*1000/float64(b.N), "processor-ms/op")
			b.ReportMetric(least.Seconds()*1000, "least-ms")
		})
	}
}
