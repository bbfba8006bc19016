package local

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/vector"
	"mekiki/internal/testsize"
	"mekiki/internal/usage"
)

// TestLatency logs what a library of MEKIKI_TEST_LATENCY images of MEKIKI_TEST_PARTS vectors takes
// to open, what it holds then, and how long searches, filters asked for the first time, words,
// facets and lists take, in processor time and on the clock: one line of a table. With MEKIKI_TEST_LATENCY_FOLDER the library is kept
// there from one run to the next; with MEKIKI_TEST_LATENCY_SPACE its space has that fingerprint, so that a server with the model of it
// answers searches.
func TestLatency(t *testing.T) {
	records, parts := testsize.Of(t, "MEKIKI_TEST_LATENCY", 500), testsize.Of(t, "MEKIKI_TEST_PARTS", 4)
	folder := os.Getenv("MEKIKI_TEST_LATENCY_FOLDER")
	if folder == "" {
		folder = filepath.Join(t.TempDir(), "library")
	}
	space := embed.Space{Fingerprint: cmp.Or(os.Getenv("MEKIKI_TEST_LATENCY_SPACE"), "latency"), Parts: parts, Width: 256}
	if _, err := os.Stat(folder); err != nil {
		started := time.Now()
		fillForLatency(t, folder, space, records)
		t.Logf("written in %v", time.Since(started).Round(time.Second))
	}
	prepareForLatency(t, folder)
	started, processor := time.Now(), usage.ProcessorTime()
	library, err := Open(t.Context(), folder, Options{ReadOnly: true, Method: latencyMethod()})
	indextest.Must(t, err)
	defer func() { indextest.Must(t, library.Close()) }()
	line := fmt.Sprintf("| %d of %d | %.2f, %.2f |", records, parts, time.Since(started).Seconds(), (usage.ProcessorTime() - processor).Seconds())
	snapshot := library.Snapshot()
	t.Logf("after opening: %s", residentOf())
	// What is made in the background must not count as time of searches.
	started, processor = time.Now(), usage.ProcessorTime()
	indextest.Must(t, library.derived.keywordStore.Ready(t.Context()))
	_ = library.lookup.Paths.Now("") + library.lookup.Hashes.Now(index.Hash{}) + library.lookup.Externals.Now("")
	indextest.Must(t, library.view.columns.MakeAll(t.Context()))
	t.Logf("words, columns and what finds paths were there after another %.2f s, of processor %.2f", time.Since(started).Seconds(), (usage.ProcessorTime() - processor).Seconds())
	records = snapshot.Count(0)
	defer func() { indextest.Must(t, snapshot.Close()) }()
	query := func(i int) []float32 { return latencyParts(uint64(i*37%records), space)[:space.Width] }
	nearest := func(i int, filter index.Filter) {
		_, err := snapshot.NearestImages(t.Context(), query(i), 10, filter)
		indextest.Must(t, err)
	}
	line += measured(100, func(i int) { nearest(i, index.Filter{}) })
	filters := latencyFilters()
	line += measured(100, func(i int) { nearest(i, filters["folder"](i)) })
	line += measured(60, func(i int) { nearest(i, filters["40 days"](i)) })
	line += measured(40, func(i int) { nearest(i, filters["camera"](i)) })
	line += measured(30, func(i int) {
		_, err := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: fmt.Sprintf("dog beside number %d", i)}, 100, index.Filter{})
		indextest.Must(t, err)
	})
	line += measured(30, func(i int) {
		_, err := snapshot.Facets(t.Context(), index.Filter{After: indextest.Time.AddDate(0, 0, i)})
		indextest.Must(t, err)
	})
	line += measured(30, func(i int) {
		_, _, err := snapshot.List(t.Context(), index.Filter{After: indextest.Time.AddDate(0, 0, i)}, index.Page{Limit: 50, Order: index.OrderDateDescending})
		indextest.Must(t, err)
	})
	before := residentOf()
	debug.FreeOSMemory()
	t.Logf("before memory was given back: %s", before)
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	t.Logf("| images of parts | opened: s, of processor | 10 nearest: p50, p99 ms | of a folder | of 40 days | of a camera since a day | three words | facets since a day | 50 since a day | in use, MB; resident |")
	t.Logf("%s %d; %s |", line, stats.HeapAlloc>>20, residentOf())
	if name := os.Getenv("MEKIKI_TEST_LATENCY_HEAP"); name != "" {
		file, err := os.Create(name)
		indextest.Must(t, err)
		indextest.Must(t, pprof.WriteHeapProfile(file))
		indextest.Must(t, file.Close())
	}
}

// latencyFilters give, for each number, a filter that a hundredth, a tenth and almost a half of the records of a large library pass.
func latencyFilters() map[string]func(i int) index.Filter {
	return map[string]func(i int) index.Filter{
		"folder": func(i int) index.Filter {
			return index.Filter{Folders: []string{filepath.Dir(indextest.ScalePath(uint64(i)))}}
		},
		"40 days": func(i int) index.Filter {
			after := indextest.Time.AddDate(0, 0, 5*i)
			return index.Filter{After: after, Before: after.AddDate(0, 0, 40)}
		},
		"camera": func(i int) index.Filter {
			return index.Filter{Cameras: []string{"canon"}, After: indextest.Time.AddDate(0, 0, i)}
		},
	}
}

// measured gives the median and the 99th percentile of the processor time that something takes, and on the clock in
// parentheses, in milliseconds.
func measured(count int, work func(i int)) string {
	processor, clock := make([]time.Duration, count), make([]time.Duration, count)
	for i := range count {
		started, used := time.Now(), usage.ProcessorTime()
		work(i)
		processor[i], clock[i] = usage.ProcessorTime()-used, time.Since(started)
	}
	share := func(times []time.Duration, at int) float64 { return times[count*at/100].Seconds() * 1e3 }
	slices.Sort(processor)
	slices.Sort(clock)
	return fmt.Sprintf(" %.1f, %.1f (%.1f, %.1f) |", share(processor, 50), share(processor, 99), share(clock, 50), share(clock, 99))
}

// prepareForLatency builds what searches need where it is missing, as indexing does at its end.
func prepareForLatency(t *testing.T, folder string) {
	t.Helper()
	started, processor := time.Now(), usage.ProcessorTime()
	library, err := Open(t.Context(), folder, Options{DeferVectors: true, Method: latencyMethod()})
	indextest.Must(t, err)
	if library.LacksPrepared() {
		indextest.Must(t, library.PrepareSearch(t.Context()))
		t.Logf("prepared for searches in %v, of processor %v", time.Since(started).Round(time.Second), (usage.ProcessorTime() - processor).Round(time.Second))
	}
	indextest.Must(t, library.Close())
}

// latencyMethod is that of MEKIKI_TEST_LATENCY_METHOD, or the automatic one.
func latencyMethod() vector.Method { return vector.Method(os.Getenv("MEKIKI_TEST_LATENCY_METHOD")) }

func fillForLatency(t *testing.T, folder string, space embed.Space, records int) {
	t.Helper()
	library, err := Open(t.Context(), folder, Options{DeferVectors: true})
	indextest.Must(t, err)
	indextest.Must(t, library.AddSpace(t.Context(), space))
	plain := embed.Space{Fingerprint: space.Fingerprint, Parts: 1, Width: 4}
	for first := 0; first < records; first += 2000 {
		var batch index.Batch
		for number := first; number < min(first+2000, records); number++ {
			put := indextest.ScalePut(uint64(number), plain)
			put.Vectors = index.Vectors{Space: space, Parts: embed.Parts{Count: space.Parts, Width: space.Width, Values: latencyParts(uint64(number), space)}}
			batch.Puts = append(batch.Puts, put)
		}
		mustWrite(t, library, batch)
	}
	indextest.Must(t, library.Close())
}

// latencyParts draws the parts of an image: about one of 4,000 subjects, each part with
// something of its own (two have a cosine of about 0.8).
func latencyParts(number uint64, space embed.Space) []float32 {
	source, subject := rand.New(rand.NewPCG(number, 5)), rand.New(rand.NewPCG(number%4000, 6))
	about := make([]float64, space.Width)
	for i := range about {
		about[i] = subject.NormFloat64() + 0.6*source.NormFloat64()
	}
	values := make([]float32, space.Parts*space.Width)
	for part := range space.Parts {
		row, squares := values[part*space.Width:(part+1)*space.Width], 0.0
		for i := range row {
			value := about[i] + 0.6*(float64(source.Uint32())/(1<<31)-1)
			row[i] = float32(value)
			squares += value * value
		}
		for i := range row {
			row[i] /= float32(math.Sqrt(squares))
		}
	}
	return values
}
