package blip2

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
	"mekiki/internal/usage"
)

// fullSizeVariable names the folder that train/parity/full_size.py wrote.
const fullSizeVariable = "MEKIKI_FULL_SIZE"

// fullSizeTolerance is the largest absolute error at published sizes.
const fullSizeTolerance = 1e-3

// TestFullSize imports a random checkpoint of the published ViT-g sizes, as
// transformers saved it, compares the results, and logs times and memory. It
// needs 15 GB of disk and several minutes.
func TestFullSize(t *testing.T) {
	folder := os.Getenv(fullSizeVariable)
	if folder == "" {
		t.Skipf("%s is not set", fullSizeVariable)
	}
	runtime := orttest.Open(t)
	source, err := checkpoint.Open(t.Context(), checkpoint.Options{Paths: []string{filepath.Join(folder, "checkpoint")}})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	reference := reference{blip2test.ReadReference(t, filepath.Join(folder, "reference.json"))}

	start, used := time.Now(), usage.ProcessorTime()
	model, err := Compile(t.Context(), source, filepath.Join(folder, "int8"), CompileOptions{Runtime: runtime, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("int8 import: %.1f s, %.1f s of processor time, peak memory %d MiB",
		time.Since(start).Seconds(), (usage.ProcessorTime() - used).Seconds(), usage.PeakMemory()>>20)
	t.Logf("int8 self-check: %+v", *model.SelfCheck)
	timeGraphs(t, runtime, reference, filepath.Join(folder, "int8"))

	start, used = time.Now(), usage.ProcessorTime()
	dir := filepath.Join(folder, "fp32")
	if _, err := Compile(t.Context(), source, dir, CompileOptions{Precision: manifest.Float32}); err != nil {
		t.Fatal(err)
	}
	t.Logf("fp32 import: %.1f s, %.1f s of processor time", time.Since(start).Seconds(), (usage.ProcessorTime() - used).Seconds())
	timeGraphs(t, runtime, reference, dir)
	parity := &parityRun{reference: reference, runtime: runtime, dir: dir, tolerance: fullSizeTolerance}
	tokens := parity.images(t)
	parity.texts(t)
	parity.match(t, tokens)
}

// timeGraphs logs the least time of several runs of each graph, of batch 1
// and with 12 text tokens.
func timeGraphs(t *testing.T, runtime *ort.Runtime, r reference, dir string) {
	pixels := r.pixels()
	image := ort.Float32Tensor(pixels.Float32()[:len(pixels.Float32())/r.Images], append([]int64{1}, pixels.Shape()[1:]...)...)
	tokens := leastTime(t, runtime, dir, manifest.VisionFile, 3, image)
	leastTime(t, runtime, dir, manifest.ImagePartsFile, 5, tokens[0])
	ids, mask := benchmarkText()
	leastTime(t, runtime, dir, manifest.TextFile, 10, ids, mask)
	leastTime(t, runtime, dir, manifest.MatchFile, 5, tokens[0], ids, mask)
	memory := leastTime(t, runtime, dir, manifest.MatchImageFile, 5, tokens[0])
	leastTime(t, runtime, dir, manifest.MatchTextFile, 5, append([]ort.Tensor{ids, mask}, memory...)...)
	t.Logf("peak memory %d MiB", usage.PeakMemory()>>20)
}

func leastTime(t *testing.T, runtime *ort.Runtime, dir, file string, runs int, inputs ...ort.Tensor) []ort.Tensor {
	session := openGraph(t, runtime, filepath.Join(dir, file))
	defer session.Close()
	var least, leastUsed time.Duration
	var outputs []ort.Tensor
	for i := range runs + 1 {
		start, used := time.Now(), usage.ProcessorTime()
		var err error
		if outputs, err = session.Run(t.Context(), inputs...); err != nil {
			t.Fatal(err)
		}
		took, spent := time.Since(start), usage.ProcessorTime()-used
		if i == 1 || took < least {
			least = took
		}
		if i == 1 || spent < leastUsed {
			leastUsed = spent
		}
	}
	t.Logf("%s %s: %.1f ms, %.1f ms of processor time", filepath.Base(dir), file,
		1000*least.Seconds(), 1000*leastUsed.Seconds())
	return outputs
}
