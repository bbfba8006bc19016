//go:build linux

package vector

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"mekiki/internal/bitset"
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

// BenchmarkRecall measures recall and time of searches, in time of the processor, to
// which others who use it do not add. It draws 2,000 pictures of 32 parts, see world,
// unless told otherwise:
//
//	MEKIKI_VECTORS=world:100000 go test ./index/vector -run none -bench Recall -benchtime 1x -timeout 2h
//	MEKIKI_VECTORS=/data/hard:16 go test ./index/vector -run none -bench Recall -benchtime 1x
//
// The first draws that many pictures; the second reads the float32 rows of images, 16
// parts each, from /data/hard.parts.f32, and of their texts from /data/hard.texts.f32; a
// third number takes only so many of them. MEKIKI_VECTORS_DUMP=/data/world writes the
// former in the form of the latter, for testdata/peers.py. TestLarge measures
// github.com/coder/hnsw too.
func BenchmarkRecall(b *testing.B) {
	data := openLarge(b, cmp.Or(os.Getenv("MEKIKI_VECTORS"), "world:2000"))
	if dump := os.Getenv("MEKIKI_VECTORS_DUMP"); dump != "" {
		data.dump(b, dump)
	}
	views := map[Method]*View{}
	for _, method := range measured {
		views[method] = data.index(b, method)
	}
	wants := make([][]Neighbour, len(data.texts))
	for i, text := range data.texts {
		var err error
		if wants[i], err = views[measured[0]].SearchExact(b.Context(), text, 100, nil); err != nil {
			b.Fatal(err)
		}
	}
	for _, k := range []int{10, 100} {
		measure := func(name string, search func(ctx context.Context, queries []float32, k int, allow bitset.Set) ([]Neighbour, error)) {
			b.Run(fmt.Sprintf("%s/k-%d", name, k), func(b *testing.B) {
				measureRecall(b, data.texts, wants, k, func(text []float32) ([]Neighbour, error) { return search(b.Context(), text, k, nil) })
			})
		}
		measure("exact", views[measured[0]].SearchExact)
		for _, method := range measured {
			view := views[method]
			for _, effort := range []float64{0.125, 0.25, 0.5, 1, 2, 4} {
				view.effort = effort
				measure(fmt.Sprintf("%s-effort-%g", method, effort), view.approximate)
			}
		}
	}
}

// searchFunction is a search of a view.
type searchFunction = func(ctx context.Context, queries []float32, k int, allow bitset.Set) ([]Neighbour, error)

// measured are the methods that are measured beside the exact scan.
var measured = []Method{HNSW, IVF}

// index adds all groups to an index of a method.
func (d *largeData) index(b *testing.B, method Method) *View {
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	index, err := New(Options{Width: testLargeWidth, Method: method, Values: d.values})
	if err != nil {
		b.Fatal(err)
	}
	d.fill(b, index)
	start := time.Now()
	view := index.View()
	took := time.Since(start).Round(time.Millisecond)
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	b.Logf("%s: %d groups, %d vectors, built in %v, %.0f bytes a group", method, view.Len(), view.content.rows, took,
		float64(memory.HeapAlloc-before.HeapAlloc)/float64(view.Len()))
	switch found := view.proposer.(type) {
	case *ivf:
		lengths := make([]int, len(found.lists))
		for i, list := range found.lists {
			lengths[i] = len(list.postings)
		}
		slices.Sort(lengths)
		b.Logf("%d postings in %d lists of %d to %d", found.postings, len(lengths), lengths[0], lengths[len(lengths)-1])
	case *graphView:
		b.Logf("%d nodes", found.nodes.Len())
	}
	return view
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

// measureRecall searches with every text in each round, and reports the recall and
// the median and the 99th percentile of a search's time.
func measureRecall(b *testing.B, texts [][]float32, wants [][]Neighbour, k int, search func([]float32) ([]Neighbour, error)) {
	runtime.LockOSThread() // processorTime is the thread's
	defer runtime.UnlockOSThread()
	var times []time.Duration
	recall := 0.0
	for b.Loop() {
		recall = 0
		for i, text := range texts {
			start := processorTime()
			got, err := search(text)
			times = append(times, processorTime()-start)
			if err != nil {
				b.Fatal(err)
			}
			recall += recallOf(got, wants[i][:min(k, len(wants[i]))]) / float64(len(texts))
		}
	}
	slices.Sort(times)
	milliseconds := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(recall, "recall")
	b.ReportMetric(milliseconds(times[len(times)/2]), "p50-ms")
	b.ReportMetric(milliseconds(times[len(times)*99/100]), "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// largeData is where vectors come from.
type largeData struct {
	count  int
	values Values
	texts  [][]float32
}

func openLarge(t testing.TB, set string) *largeData {
	name, number, found := strings.Cut(set, ":")
	number, limit, _ := strings.Cut(number, ":")
	count, err := strconv.Atoi(number)
	if !found || err != nil {
		t.Fatalf("MEKIKI_VECTORS=%s: expected world:COUNT or PATH:PARTS[:COUNT]", set)
	}
	if name == "world" {
		world := newWorld(testLargeWidth, 32)
		data := &largeData{count: count, values: func(group uint64, rows []int) ([]float32, error) {
			return rowsOf(world.image(group), testLargeWidth, rows), nil
		}}
		for i := range min(count, largeTexts) {
			data.texts = append(data.texts, world.text(uint64(i)*uint64(count)/uint64(min(count, largeTexts)), 0))
		}
		return data
	}
	rows := readRows(t, name+".parts.f32")
	data := &largeData{count: len(rows) / (count * testLargeWidth)}
	data.values = func(group uint64, some []int) ([]float32, error) {
		return rowsOf(rows[int(group)*count*testLargeWidth:int(group+1)*count*testLargeWidth], testLargeWidth, some), nil
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
func readRows(t testing.TB, name string) []float32 {
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
func (d *largeData) fill(t testing.TB, index *Index) {
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
					drawn[i], _ = d.values(uint64(first+i), nil)
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

func (d *largeData) dump(t testing.TB, name string) {
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
	write(name+".parts.f32", d.count, func(i int) []float32 { rows, _ := d.values(uint64(i), nil); return rows })
	write(name+".texts.f32", len(d.texts), func(i int) []float32 { return d.texts[i] })
}
