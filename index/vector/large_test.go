//go:build linux

package vector

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"mekiki/index/vector/lists"
)

// TestLarge measures every method by its name, in one run on the same vectors, with
//
//	MEKIKI_VECTORS_LARGE=world:20000 go test ./index/vector -run TestLarge -v -timeout 1h
//
// or with vectors of files, named as for BenchmarkRecall. Drawn pictures are put into a
// file first, which the exact scores are then read from, as from a library. Times are of
// the processor, the least of two searches with each text.
func TestLarge(t *testing.T) {
	set := os.Getenv("MEKIKI_VECTORS_LARGE")
	if set == "" {
		t.Skip("set MEKIKI_VECTORS_LARGE, such as to world:20000: it takes minutes")
	}
	runtime.LockOSThread() // processorTime is the thread's
	defer runtime.UnlockOSThread()
	data := openLarge(t, set)
	if strings.HasPrefix(set, "world:") {
		name := os.Getenv("MEKIKI_VECTORS_DUMP") // where the file is to stay, for the peers
		if name == "" {
			name = filepath.Join(t.TempDir(), "world")
		}
		data.dump(t, name)
		data = openLarge(t, name+":32")
	}
	index, err := New(Options{Width: testLargeWidth, Method: Exact, Values: data.values})
	if err != nil {
		t.Fatal(err)
	}
	data.fill(t, index)
	view := index.View()
	wants := make([][]Neighbour, len(data.texts))
	for i, text := range data.texts {
		if wants[i], err = view.SearchExact(t.Context(), text, 100, nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("| method | first 10: recall | p50, p99 ms | first 100: recall | p50, p99 ms |")
	t.Logf("| exact | %s | %s |", measureLarge(t, view.SearchExact, data.texts, wants, 10), measureLarge(t, view.SearchExact, data.texts, wants, 100))
	for _, method := range Methods() {
		if method == Automatic || method == Exact || method == Coder && data.count > 20_000 {
			continue
		}
		start := time.Now()
		built := index.newBuilder(&index.content).build(method).snapshot()
		t.Logf("%s: built in %v", method, time.Since(start).Round(time.Millisecond))
		searchers, names := []proposer{built}, []string{string(method)}
		if method == IVF { // in memory, and as a library has them
			by := *view
			by.proposer = built
			searchers, names = append(searchers, listsInFile(t, index, &by)), append(names, "ivf in a file")
		}
		for i, name := range names {
			for _, effort := range []float64{0.25, 0.5, 1, 2} {
				by := *view
				by.proposer, by.effort = searchers[i], effort
				t.Logf("| %s, effort %g | %s | %s |", name, effort, measureLarge(t, by.approximate, data.texts, wants, 10), measureLarge(t, by.approximate, data.texts, wants, 100))
			}
		}
	}
}

// listsInFile saves the inverted lists of a view and gives those of the file.
func listsInFile(t *testing.T, index *Index, view *View) proposer {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "lists"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if err := view.Save(file); err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	opened, err := lists.Open(file, info.Size(), index.width, index.stride)
	if err != nil {
		t.Fatal(err)
	}
	restored, _, _, err := index.restoreLists(opened)
	if err != nil {
		t.Fatal(err)
	}
	return restored.snapshot()
}

// measureLarge gives the recall of k results, and the median and the 99th percentile of a
// search's time.
func measureLarge(t *testing.T, search searchFunction, texts [][]float32, wants [][]Neighbour, k int) string {
	t.Helper()
	times, recall := make([]time.Duration, len(texts)), 0.0
	for round := range 2 {
		for i, text := range texts {
			start := processorTime()
			got, err := search(t.Context(), text, k, nil)
			took := processorTime() - start
			if err != nil {
				t.Fatal(err)
			}
			if round == 0 {
				times[i] = took
				recall += recallOf(got, wants[i][:min(k, len(wants[i]))]) / float64(len(texts))
			}
			times[i] = min(times[i], took)
		}
	}
	slices.Sort(times)
	return fmt.Sprintf("%.4f | %.2f, %.2f", recall, times[len(times)/2].Seconds()*1e3, times[len(times)*99/100].Seconds()*1e3)
}
