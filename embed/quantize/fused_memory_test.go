//go:build linux

package quantize

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"mekiki/embed/fused"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
)

// anonymous is the memory of this process that belongs to no file, in MiB.
func anonymous(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(status), "RssAnon:")
	var size int
	if _, err := fmt.Sscan(text, &size); err != nil {
		t.Fatal(err)
	}
	return size >> 10
}

// TestFusedMemory opens graphs of 34 MiB of packed weights each: sessions of equal weights hold them once, those of others one by
// one, and all of it goes back, in whatever order they close, as soon as nobody holds it.
func TestFusedMemory(t *testing.T) {
	if !fused.Available() {
		t.Skip("this processor has no AVX-512 VNNI")
	}
	const width, inner, size = 4096, 8192, 34
	runtime := orttest.Open(t)
	var paths []string
	for i := range 3 {
		dir := t.TempDir()
		layer := fmt.Sprint("layer", i)
		writeNetwork(t, dir, NewPlan(PerBlock), fusedWeights{layer + ".weight": {width, inner}}, func(network *Network) {
			x := network.Input("x", onnx.Float32, onnx.Fixed(1), onnx.Dynamic("rows"), onnx.Fixed(inner))
			network.Output("y", network.Product(x, Product{Layers: []string{layer}, Input: inner, Output: width}))
		})
		paths = append(paths, filepath.Join(dir, "graph.onnx"))
	}
	open := func(path string) *ort.Session {
		inputs, outputs := orttest.Inspect(t, path)
		session, err := runtime.Session(t.Context(), ort.SessionOptions{Path: path, Inputs: inputs, Outputs: outputs, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		return session
	}
	open(paths[0]).Close() // what is needed once
	before := anonymous(t)
	held := func(what string, weights int) {
		t.Helper()
		if found := anonymous(t) - before; found < weights*size-10 || found > weights*size+20 {
			t.Errorf("%s: %d MiB, want about %d", what, found, weights*size)
		}
	}
	first, second, third := open(paths[0]), open(paths[1]), open(paths[2])
	held("three sessions", 3)
	again := open(paths[1])
	held("one more of equal weights", 3)
	second.Close()
	held("one of two closed", 3)
	again.Close()
	held("both closed", 2)
	first.Close()
	held("the first closed", 1)
	third.Close()
	held("all closed", 0)
}
