package blip2

import (
	"path/filepath"
	"slices"
	"testing"

	"mekiki/embed/checkpoint"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
)

// benchmarkGraph times one graph at published sizes, for each way to compute
// the matrix products, on inputs of batch 1.
func benchmarkGraph(b *testing.B, config checkpoint.Config, graph namedGraph, inputs ...ort.Tensor) {
	for _, method := range []method{methodFloat, methodInt8, methodRows} {
		b.Run(string(method), func(b *testing.B) {
			runtime := orttest.Open(b)
			weights, err := NewRandom(config, 1, true)
			if err != nil {
				b.Fatal(err)
			}
			dir := b.TempDir()
			if _, err := writeGraphs(b.Context(), weights, dir, "weights.bin", newPlan(method), []namedGraph{graph}); err != nil {
				b.Fatal(err)
			}
			session := openThreads(b, runtime, filepath.Join(dir, graph.file), 2)
			used := processorTime()
			for b.Loop() {
				if _, err := session.Run(b.Context(), inputs...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processorTime()-used).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

// openThreads opens a graph with all its inputs and outputs for this many threads.
func openThreads(b *testing.B, runtime *ort.Runtime, path string, threads int) *ort.Session {
	b.Helper()
	model, err := ort.Inspect(path)
	if err != nil {
		b.Fatal(err)
	}
	session, err := runtime.Session(b.Context(), ort.SessionOptions{Path: path, Inputs: model.Inputs, Outputs: model.Outputs, Threads: threads})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = session.Close() })
	return session
}

// BenchmarkVisionLayers times two of ViT-g's 39 layers at 224 pixels.
func BenchmarkVisionLayers(b *testing.B) {
	config := PublishedConfig(224)
	config.Vision.Layers = 2
	pixels := ort.Float32Tensor(RandomValues(PixelsName, 1, 3*224*224), 1, 3, 224, 224)
	benchmarkGraph(b, config, namedGraph{VisionFile, visionGraph}, pixels)
}

func publishedTokens(config checkpoint.Config) ort.Tensor {
	rows, columns := config.Vision.Tokens(), config.Vision.HiddenSize
	return ort.Float32Tensor(RandomValues(ImageTokensName, 1, rows*columns), 1, int64(rows), int64(columns))
}

// BenchmarkImageParts times the image transformer over ViT-g's tokens.
func BenchmarkImageParts(b *testing.B) {
	config := PublishedConfig(224)
	benchmarkGraph(b, config, namedGraph{ImagePartsFile, imagePartsGraph}, publishedTokens(config))
}

// BenchmarkText times a text of 12 tokens.
func BenchmarkText(b *testing.B) {
	ids, mask := benchmarkText()
	benchmarkGraph(b, PublishedConfig(224), namedGraph{TextFile, textGraph}, ids, mask)
}

// BenchmarkMatch times one image against one text of 12 tokens.
func BenchmarkMatch(b *testing.B) {
	config := PublishedConfig(224)
	ids, mask := benchmarkText()
	benchmarkGraph(b, config, namedGraph{MatchFile, matchGraph}, publishedTokens(config), ids, mask)
}

func benchmarkText() (ids, mask ort.Tensor) {
	return ort.Int64Tensor(slices.Repeat([]int64{2000}, 12), 1, 12), ort.Int64Tensor(slices.Repeat([]int64{1}, 12), 1, 12)
}
