package local

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/nearest"
	"mekiki/index/vector"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

// TestWritersDoNotWaitForLists: a library that grows until it has inverted lists goes on being
// written to and searched while they are built, and then searches by them.
func TestWritersDoNotWaitForLists(t *testing.T) {
	files := vfstest.NewMemory()
	var log bytes.Buffer
	library := openTest(t, "/library", Options{FileSystem: files, keptVectors: 1, approximateFrom: 50, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	outgrown := "/library/derived/vectors/0001-images.cells"
	indextest.Must(t, files.MkdirAll(filepath.Dir(outgrown)))
	indextest.Must(t, vfs.WriteAtomically(files, outgrown, 1, func(to io.Writer) error { _, err := to.Write([]byte("lists")); return err }))
	var images nearest.Index
	library.host.NewIndex = func(options vector.Options, keep bool) (nearest.Index, error) {
		made, err := nearest.NewIndex(options, keep)
		if images == nil {
			images = made // those of texts are made after
		}
		return made, err
	}
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	search := func() []index.Neighbour {
		snapshot := library.Snapshot()
		defer snapshot.Close()
		found, err := snapshot.NearestImages(t.Context(), indextest.Unit(3, 2, indextest.Small.Width).Values, 10, index.Filter{})
		indextest.Must(t, err)
		return found
	}
	for number := range uint64(60) {
		mustWrite(t, library, index.Batch{Puts: []index.Put{indextest.Image(t, number, indextest.Small)}})
		search() // so that the vectors are in use, and each commit brings them along
	}
	library.background.Wait()
	if images.Pending() != nil {
		t.Error("lists were not built, or not taken into use")
	}
	got := search()
	indextest.Must(t, library.Close())
	if _, err := files.Stat(outgrown); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("lists that are of no use any more: %v", err)
	}
	for _, said := range []string{"searches take longer until", "are in use"} {
		if !strings.Contains(log.String(), said) {
			t.Errorf("nobody is told that %q:\n%s", said, log.String())
		}
	}
	exact := openTest(t, "/library", Options{FileSystem: files})
	library = exact
	if diff := cmp.Diff(search(), got); diff != "" {
		t.Errorf("by inverted lists:\n%s", diff)
	}
}

// TestLongestCommit grows a library past the size from which it has inverted lists, with
// MEKIKI_TEST_LISTS=1, and reports the longest commit.
func TestLongestCommit(t *testing.T) {
	if os.Getenv("MEKIKI_TEST_LISTS") == "" {
		t.Skip("set MEKIKI_TEST_LISTS=1: it takes a minute and a gigabyte")
	}
	space := embed.Space{Fingerprint: "model-a", Parts: 16, Width: 256}
	library := openTest(t, filepath.Join(t.TempDir(), "library"), Options{})
	indextest.Must(t, library.AddSpace(t.Context(), space))
	const batch = 250 // pictures
	longest, at := time.Duration(0), 0
	for vectors := 0; vectors < 360_000; vectors += batch * space.Parts {
		var puts []index.Put
		for number := range uint64(batch) {
			puts = append(puts, indextest.Image(t, uint64(vectors)+number, space))
		}
		started := time.Now()
		mustWrite(t, library, index.Batch{Puts: puts})
		if took := time.Since(started); took > longest {
			longest, at = took, vectors
		}
		snapshot := library.Snapshot()
		_, err := snapshot.NearestImages(t.Context(), indextest.Unit(3, 1, space.Width).Values, 10, index.Filter{})
		indextest.Must(t, err)
		snapshot.Close()
	}
	started := time.Now()
	library.background.Wait()
	t.Logf("the longest commit of %d pictures took %v, at %d vectors; building went on for %v", batch, longest, at, time.Since(started))
}
