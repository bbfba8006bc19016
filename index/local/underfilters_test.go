package local

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/vector"
	"mekiki/internal/testsize"
)

// TestRecallUnderFilters searches a library of MEKIKI_TEST_LATENCY images of MEKIKI_TEST_PARTS vectors under filters that a hundredth
// to a half of them pass, and compares what a graph and inverted lists find with what a scan does. MEKIKI_TEST_LATENCY_FOLDER is as in
// TestLatency, and MEKIKI_TEST_LATENCY_METHOD limits it to one method.
func TestRecallUnderFilters(t *testing.T) {
	if os.Getenv("MEKIKI_TEST_LATENCY") == "" {
		t.Skip("set MEKIKI_TEST_LATENCY=100000 or more: of fewer, a filter leaves so little that all of it is scanned in any case")
	}
	records, parts := testsize.Of(t, "MEKIKI_TEST_LATENCY", 0), testsize.Of(t, "MEKIKI_TEST_PARTS", 32)
	folder := os.Getenv("MEKIKI_TEST_LATENCY_FOLDER")
	if folder == "" {
		folder = filepath.Join(t.TempDir(), "library")
	}
	space := embed.Space{Fingerprint: "latency", Parts: parts, Width: 256}
	if _, err := os.Stat(folder); err != nil {
		fillForLatency(t, folder, space, records)
	}
	methods := []vector.Method{vector.HNSW, vector.IVF}
	if one := latencyMethod(); one != "" {
		methods = []vector.Method{one}
	}
	exact := openToCompare(t, folder, vector.Exact)
	for _, method := range methods {
		approximate := openToCompare(t, folder, method)
		for name, filter := range latencyFilters() {
			same, all := 0, 0
			for i := range 30 {
				query := latencyParts(uint64(i*37%records), space)[:space.Width]
				found, err := approximate.NearestImages(t.Context(), query, 10, filter(i))
				indextest.Must(t, err)
				want, err := exact.NearestImages(t.Context(), query, 10, filter(i))
				indextest.Must(t, err)
				all += len(want)
				for _, one := range want {
					if slices.ContainsFunc(found, func(n index.Neighbour) bool { return n.ID == one.ID }) {
						same++
					}
				}
			}
			if t.Logf("%s, %s: %d of %d", method, name, same, all); same < all*98/100 || all == 0 {
				t.Errorf("%s, %s: %d of %d were found", method, name, same, all)
			}
		}
	}
}

func openToCompare(t *testing.T, folder string, method vector.Method) *Snapshot {
	library, err := Open(t.Context(), folder, Options{ReadOnly: true, Method: method})
	indextest.Must(t, err)
	t.Cleanup(func() { indextest.Must(t, library.Close()) })
	snapshot := library.Snapshot()
	t.Cleanup(func() { indextest.Must(t, snapshot.Close()) })
	return snapshot
}
