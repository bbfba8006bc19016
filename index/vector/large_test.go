//go:build linux

package vector

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestLarge measures recall and time of approximate search, in time of the processor,
// which others who use it do not add to. It runs when asked:
//
//	MEKIKI_VECTORS=world:100000 go test ./index/vector -run TestLarge -v -timeout 2h
//	MEKIKI_VECTORS=/data/hard:16 go test ./index/vector -run TestLarge -v
//
// The first draws so many pictures of 32 parts, see world; the second reads the
// float32 rows of images, so many parts each, from /data/hard.parts.f32, and of
// their texts from /data/hard.texts.f32; a third number takes so many of them.
// MEKIKI_VECTORS_DUMP=/data/world writes the former in the form of the latter, for
// testdata/peers.py, and MEKIKI_VECTORS_CODER=1 measures github.com/coder/hnsw too.
func TestLarge(t *testing.T) {
	set := os.Getenv("MEKIKI_VECTORS")
	if set == "" {
		t.Skip("MEKIKI_VECTORS is not set")
	}
	data := openLarge(t, set)
	if dump := os.Getenv("MEKIKI_VECTORS_DUMP"); dump != "" {
		data.dump(t, dump)
	}
	index, err := New(Options{Width: testLargeWidth, Method: Approximate, Values: data.values})
	if err != nil {
		t.Fatal(err)
	}
	data.fill(t, index)
	start := time.Now()
	view := index.View()
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	sizes := make([]int, len(view.cells.list))
	for i, cell := range view.cells.list {
		sizes[i] = len(cell.places)
	}
	slices.Sort(sizes)
	t.Logf("%d groups, %d vectors, %d representatives in %d cells of %d to %d, built in %v, %.0f bytes a group",
		view.Len(), view.content.rows, view.cells.count, len(sizes), sizes[0], sizes[len(sizes)-1], time.Since(start).Round(time.Millisecond),
		float64(memory.HeapAlloc)/float64(view.Len()))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	wants := make([][]Neighbour, len(data.texts))
	for i, text := range data.texts {
		if wants[i], err = view.SearchExact(t.Context(), text, 100, nil); err != nil {
			t.Fatal(err)
		}
	}
	exact := func(text []float32, k int) ([]Neighbour, error) { return view.SearchExact(t.Context(), text, k, nil) }
	approximate := func(text []float32, k int) ([]Neighbour, error) { return view.approximate(t.Context(), text, k, nil) }
	for _, k := range []int{10, 100} {
		measureLarge(t, "exact", exact, data.texts, wants, k)
		for _, effort := range []float64{0.125, 0.25, 0.5, 1, 2} {
			view.effort = effort
			measureLarge(t, fmt.Sprintf("effort %g", effort), approximate, data.texts, wants, k)
		}
	}
	if os.Getenv("MEKIKI_VECTORS_CODER") != "" {
		coder := data.coder(t)
		for _, k := range []int{10, 100} {
			measureLarge(t, "coder/hnsw", func(text []float32, k int) ([]Neighbour, error) {
				return coder.Search(t.Context(), text, k, nil)
			}, data.texts, wants, k)
		}
	}
}

const testLargeWidth = 256

// processorTime is how long this thread has run.
func processorTime() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		panic(err)
	}
	return time.Duration(now.Nano())
}

func measureLarge(t *testing.T, label string, search func([]float32, int) ([]Neighbour, error), texts [][]float32, wants [][]Neighbour, k int) {
	recall, times := 0.0, make([]time.Duration, len(texts))
	for i, text := range texts {
		start := processorTime()
		got, err := search(text, k)
		times[i] = processorTime() - start
		if err != nil {
			t.Fatal(err)
		}
		recall += recallOf(got, wants[i][:min(k, len(wants[i]))]) / float64(len(texts))
	}
	slices.Sort(times)
	t.Logf("%s, k %d: recall %.4f, p50 %v, p99 %v", label, k, recall, times[len(times)/2], times[len(times)*99/100])
}

// coder puts the data into the graph of github.com/coder/hnsw.
func (d *largeData) coder(t *testing.T) *hnswGraph {
	start, coder := processorTime(), newHNSW(testLargeWidth)
	for group := range d.count {
		values, err := d.values(uint64(group))
		if err == nil {
			err = coder.Add(uint64(group), values)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("coder/hnsw: built in %v of processor", (processorTime() - start).Round(time.Millisecond))
	return coder
}

// largeData is where vectors come from.
type largeData struct {
	count  int
	values func(group uint64) ([]float32, error)
	texts  [][]float32
}

func openLarge(t *testing.T, set string) *largeData {
	name, number, found := strings.Cut(set, ":")
	number, limit, _ := strings.Cut(number, ":")
	count, err := strconv.Atoi(number)
	if !found || err != nil {
		t.Fatalf("MEKIKI_VECTORS=%s: expected world:COUNT or PATH:PARTS[:COUNT]", set)
	}
	if name == "world" {
		world := newWorld(testLargeWidth, 32)
		data := &largeData{count: count, values: func(group uint64) ([]float32, error) { return world.image(group), nil }}
		for i := range min(count, largeTexts) {
			data.texts = append(data.texts, world.text(uint64(i)*uint64(count)/uint64(min(count, largeTexts)), 0))
		}
		return data
	}
	rows := readRows(t, name+".parts.f32")
	data := &largeData{count: len(rows) / (count * testLargeWidth)}
	data.values = func(group uint64) ([]float32, error) {
		return rows[int(group)*count*testLargeWidth : int(group+1)*count*testLargeWidth], nil
	}
	if most, err := strconv.Atoi(limit); err == nil {
		data.count = min(data.count, most)
	}
	texts := slices.Collect(slices.Chunk(readRows(t, name+".texts.f32"), testLargeWidth))
	for i := range min(len(texts), largeTexts) {
		data.texts = append(data.texts, texts[i*len(texts)/min(len(texts), largeTexts)])
	}
	return data
}

// largeTexts is how many texts are asked with.
const largeTexts = 200

// readRows maps a file of float32 rows; it stays mapped.
func readRows(t *testing.T, name string) []float32 {
	file, err := os.Open(filepath.Clean(name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	data, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&data[0])), len(data)/4)
}

// fill adds all groups, drawing them with all processors.
func (d *largeData) fill(t *testing.T, index *Index) {
	const batch = 256
	drawn := make([][]float32, batch)
	start := time.Now()
	var adding time.Duration
	for first := 0; first < d.count; first += batch {
		var drawing sync.WaitGroup
		workers := runtime.GOMAXPROCS(0)
		for worker := range workers {
			drawing.Go(func() {
				for i := worker; i < min(batch, d.count-first); i += workers {
					drawn[i], _ = d.values(uint64(first + i))
				}
			})
		}
		drawing.Wait()
		begin := time.Now()
		for i := range min(batch, d.count-first) {
			if err := index.Add(uint64(first+i), drawn[i]); err != nil {
				t.Fatal(err)
			}
		}
		adding += time.Since(begin)
	}
	t.Logf("%d groups drawn and added in %v, added in %v", d.count, time.Since(start).Round(time.Second), adding.Round(time.Second))
}

func (d *largeData) dump(t *testing.T, name string) {
	write := func(name string, count int, row func(i int) []float32) {
		file, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		buffered := bufio.NewWriterSize(file, 1<<20)
		for i := range count {
			for _, value := range row(i) {
				var bytes [4]byte
				binary.LittleEndian.PutUint32(bytes[:], math.Float32bits(value))
				_, _ = buffered.Write(bytes[:])
			}
		}
		if err := buffered.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(name+".parts.f32", d.count, func(i int) []float32 { rows, _ := d.values(uint64(i)); return rows })
	write(name+".texts.f32", len(d.texts), func(i int) []float32 { return d.texts[i] })
}
