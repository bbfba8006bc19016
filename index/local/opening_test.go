package local

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/internal/testsize"
	"mekiki/internal/usage"
)

// TestOpening logs how long a library of MEKIKI_TEST_OPENING images takes to open and to answer first, and what it holds,
// vectors apart. With MEKIKI_TEST_OPENING_FOLDER the library is kept there from one run to the next.
func TestOpening(t *testing.T) {
	records := testsize.Of(t, "MEKIKI_TEST_OPENING", 1000)
	folder := os.Getenv("MEKIKI_TEST_OPENING_FOLDER")
	if folder == "" {
		folder = filepath.Join(t.TempDir(), "library")
	}
	if _, err := os.Stat(folder); err != nil {
		fillForOpening(t, folder, records)
	}
	timed := func(what string, work func()) {
		started, processor := time.Now(), usage.ProcessorTime()
		work()
		t.Logf("%-36s %8.3f s %8.3f s of processor", what, time.Since(started).Seconds(), (usage.ProcessorTime() - processor).Seconds())
	}
	var library *Library
	var err error
	for _, options := range []Options{{DeferVectors: true}, {DeferVectors: true, ReadOnly: true}} {
		timed(map[bool]string{false: "open for writing", true: "open for reading"}[options.ReadOnly], func() {
			library, err = Open(t.Context(), folder, options)
			indextest.Must(t, err)
		})
		snapshot := library.Snapshot()
		timed("  count cameras, folders, years", func() {
			_, err := snapshot.Facets(t.Context(), index.Filter{})
			indextest.Must(t, err)
		})
		timed("  the first 50 by date", func() {
			found, _, err := snapshot.List(t.Context(), index.Filter{}, index.Page{Limit: 50, Order: index.OrderDateDescending})
			if err != nil || len(found) == 0 {
				t.Errorf("%d records, %v", len(found), err)
			}
		})
		timed("  words", func() {
			_, err := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: "dog beside number 77"}, 100, index.Filter{})
			indextest.Must(t, err)
		})
		debug.FreeOSMemory()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		t.Logf("%-36s %8d MB in use, %s", "  held", stats.HeapAlloc>>20, residentOf())
		snapshot.Close()
		timed("  close", func() { indextest.Must(t, library.Close()) })
	}
}

func fillForOpening(t *testing.T, folder string, records int) {
	t.Helper()
	space := embed.Space{Fingerprint: "opening", Parts: 1, Width: 8}
	library, err := Open(t.Context(), folder, Options{DeferVectors: true})
	indextest.Must(t, err)
	indextest.Must(t, library.AddSpace(t.Context(), space))
	for first := 0; first < records; first += 5000 {
		var batch index.Batch
		for number := first; number < min(first+5000, records); number++ {
			batch.Puts = append(batch.Puts, indextest.ScalePut(uint64(number), space))
		}
		mustWrite(t, library, batch)
	}
	indextest.Must(t, library.Close())
}

// residentOf gives the largest resident memory so far, the present one, and how much of that is no file's and is of files.
func residentOf() string {
	status, _ := os.ReadFile("/proc/self/status") // of Linux
	var found []string
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && slices.Contains([]string{"VmHWM:", "VmRSS:", "RssAnon:", "RssFile:"}, fields[0]) {
			kilobytes, _ := strconv.Atoi(fields[1])
			found = append(found, fmt.Sprintf("%s %d MB", fields[0], kilobytes>>10))
		}
	}
	return strings.Join(found, ", ")
}
