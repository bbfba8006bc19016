package blip2

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/quantize"
	"mekiki/internal/usage"
)

// benchmarkGraph times one graph at published sizes, for each way to compute
// the matrix products, fused and by the runtime's operators, on inputs of batch 1.
func benchmarkGraph(b *testing.B, config modelconfig.Config, graph quantize.Graph, inputs ...ort.Tensor) {
	benchmarkMethods(b, config, graph, []quantize.Method{quantize.Float32, quantize.PerRun, quantize.PerRow}, inputs...)
}

func benchmarkMethods(b *testing.B, config modelconfig.Config, graph quantize.Graph, methods []quantize.Method, inputs ...ort.Tensor) {
	for _, method := range methods {
		runtime := orttest.Open(b)
		weights, err := checkpoint.NewRandom(config, 1, true)
		if err != nil {
			b.Fatal(err)
		}
		path := filepath.Join(b.TempDir(), graph.File)
		writeGraph(b, weights, filepath.Dir(path), quantize.NewPlan(method), graph)
		for _, unfused := range []bool{false, true} {
			name := string(method)
			if unfused {
				name += "/unfused"
			}
			if unfused && method == quantize.Float32 {
				continue
			}
			b.Run(name, func(b *testing.B) { timeRuns(b, openThreads(b, runtime, path, 2, unfused), inputs) })
		}
	}
}

// timeRuns reports the least processor time of a run beside the mean time on the clock.
func timeRuns(b *testing.B, session *ort.Session, inputs []ort.Tensor) {
	var least time.Duration
	for b.Loop() {
		used := usage.ProcessorTime()
		if _, err := session.Run(b.Context(), inputs...); err != nil {
			b.Fatal(err)
		}
		if used = usage.ProcessorTime() - used; least == 0 || used < least {
			least = used
		}
	}
	b.ReportMetric(1000*least.Seconds(), "least-cpu-ms")
}

// graphOf is the Q-Former's graph in a file.
func graphOf(config modelconfig.Config, file string) quantize.Graph {
	graphs := queryGraphs(config, heads{match: true, caption: true})
	return graphs[slices.IndexFunc(graphs, func(graph quantize.Graph) bool { return graph.File == file })]
}

// writeGraph writes a graph and its weights into a folder.
func writeGraph(t testing.TB, weights quantize.Weights, dir string, plan quantize.Plan, graph quantize.Graph) {
	t.Helper()
	writeGraphs(t, weights, dir, plan, graph)
}

// writeGraphs writes graphs that share their weights into a folder.
func writeGraphs(t testing.TB, weights quantize.Weights, dir string, plan quantize.Plan, graphs ...quantize.Graph) {
	t.Helper()
	data, err := onnx.CreateDataFile(dir, "weights.bin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := quantize.WriteGraphs(t.Context(), dir, quantize.NewStore(t.Context(), weights, data, plan), graphs); err != nil {
		t.Fatal(err)
	}
}

// openThreads opens a graph with all its inputs and outputs for this many threads.
func openThreads(b *testing.B, runtime *ort.Runtime, path string, threads int, unfused bool) *ort.Session {
	b.Helper()
	inputs, outputs := orttest.Inspect(b, path)
	session, err := runtime.Session(b.Context(), ort.SessionOptions{Path: path, Inputs: inputs, Outputs: outputs, Threads: threads, Spin: true, Arena: true, NoFusion: unfused})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = session.Close() })
	return session
}

// BenchmarkVisionLayers times two of ViT-g's 39 layers at 224 pixels.
func BenchmarkVisionLayers(b *testing.B) {
	config := modelconfig.PublishedConfig(224)
	config.Vision.Layers = 2
	pixels := ort.Float32Tensor(checkpoint.RandomValues(manifest.PixelsName, 1, 3*224*224), 1, 3, 224, 224)
	benchmarkGraph(b, config, visionGraphOf(config), pixels)
}

// BenchmarkWholeVision times all of ViT-g at 224 pixels, which needs 5 GB of memory for the weights and 1 GB of disk.
func BenchmarkWholeVision(b *testing.B) {
	config := modelconfig.PublishedConfig(224)
	pixels := ort.Float32Tensor(checkpoint.RandomValues(manifest.PixelsName, 1, 3*224*224), 1, 3, 224, 224)
	benchmarkMethods(b, config, visionGraphOf(config), []quantize.Method{quantize.PerRow}, pixels)
}

// BenchmarkVisionMerging times ViT-g's 39 layers at 224 pixels, products in int8 with a scale for each row, with so many
// tokens merged in each layer. It takes 1.1 GB of disk and 3 GB of memory.
func BenchmarkVisionMerging(b *testing.B) {
	config := modelconfig.PublishedConfig(224)
	weights, err := checkpoint.NewRandom(config, 1, true)
	if err != nil {
		b.Fatal(err)
	}
	var graphs []quantize.Graph
	counts := []int{0, 4, 5, 6, 7}
	for _, merged := range counts {
		config.Vision.Merged = merged
		graph := visionGraphOf(config)
		graph.File = fmt.Sprintf("vision-%d.onnx", merged)
		graphs = append(graphs, graph)
	}
	dir := b.TempDir()
	writeGraphs(b, weights, dir, quantize.NewPlan(quantize.PerRow), graphs...)
	runtime := orttest.Open(b)
	pixels := ort.Float32Tensor(checkpoint.RandomValues(manifest.PixelsName, 1, 3*224*224), 1, 3, 224, 224)
	for i, merged := range counts {
		for _, unfused := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/%s", merged, map[bool]string{false: "fused", true: "unfused"}[unfused]), func(b *testing.B) {
				session := openThreads(b, runtime, filepath.Join(dir, graphs[i].File), 2, unfused)
				timeRuns(b, session, []ort.Tensor{pixels})
				_ = session.Close() // before the next one takes as much memory
			})
		}
	}
}

func publishedTokens(config modelconfig.Config) ort.Tensor {
	rows, columns := config.Vision.Tokens(), config.Vision.HiddenSize
	return ort.Float32Tensor(checkpoint.RandomValues(manifest.ImageTokensName, 1, rows*columns), 1, int64(rows), int64(columns))
}

// BenchmarkImageParts times the image transformer over ViT-g's tokens.
func BenchmarkImageParts(b *testing.B) {
	config := modelconfig.PublishedConfig(224)
	benchmarkGraph(b, config, graphOf(config, manifest.ImagePartsFile), publishedTokens(config))
}

// BenchmarkText times a text of 12 tokens.
func BenchmarkText(b *testing.B) {
	config := modelconfig.PublishedConfig(224)
	ids, mask := benchmarkText()
	benchmarkGraph(b, config, graphOf(config, manifest.TextFile), ids, mask)
}

// BenchmarkMatch times one image against one text of 12 tokens.
func BenchmarkMatch(b *testing.B) {
	config := modelconfig.PublishedConfig(224)
	ids, mask := benchmarkText()
	benchmarkGraph(b, config, graphOf(config, manifest.MatchFile), publishedTokens(config), ids, mask)
}

func benchmarkText() (ids, mask ort.Tensor) {
	return ort.Int64Tensor(slices.Repeat([]int64{2000}, 12), 1, 12), ort.Int64Tensor(slices.Repeat([]int64{1}, 12), 1, 12)
}
