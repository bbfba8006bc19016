package ingest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/ingest/report"
	"mekiki/index/metadata"
)

// TestSidecarsAloneAreNoticed: a sidecar that comes, changes or goes has only the
// metadata of its picture read again.
func TestSidecarsAloneAreNoticed(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	a := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	b := write(t, testImage(t, 2, 20, 20), photos, "b.jpg")
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	options := Options{Paths: []string{photos}}
	mustRun(t, library, engine, options)
	tag(t, library, a)
	step := func(name string, want report.Summary) {
		t.Helper()
		before := engine.images.Load()
		if diff := cmp.Diff(want, mustRun(t, library, engine, options)); diff != "" || engine.images.Load() != before {
			t.Errorf("%s: the model read %d pictures; %s", name, engine.images.Load()-before, diff)
		}
		hasTag(t, library, a)
	}
	step("nothing", report.Summary{Seen: 2, Unchanged: 2})
	sidecar := write(t, xmpOf("first"), photos, "a.jpg.xmp")
	step("it comes", report.Summary{Seen: 2, Unchanged: 1, Reread: 1})
	step("nothing", report.Summary{Seen: 2, Unchanged: 2})
	write(t, xmpOf("second"), sidecar)
	later := time.Now().Add(time.Minute)
	must(t, os.Chtimes(sidecar, later, later))
	write(t, xmpOf("other"), photos, "b.xmp")
	step("it changes", report.Summary{Seen: 2, Reread: 2})
	must(t, os.Remove(sidecar))
	step("it goes", report.Summary{Seen: 2, Unchanged: 1, Reread: 1})
	if recordOf(t, library, a).Files[0].Sidecars != 0 || recordOf(t, library, b).Files[0].Sidecars == 0 {
		t.Error("the stamps of the sidecars are not as they should be")
	}
}

func xmpOf(keyword string) []byte {
	return fmt.Appendf(nil, `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Description rdf:about=""><dc:subject><rdf:Bag><rdf:li>%s</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>`, keyword)
}

// TestWatchHearsOfSidecars: watching notices sidecars that come and go.
func TestWatchHearsOfSidecars(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	a := write(t, testImage(t, 1, 20, 20), photos, "deep", "a.jpg")
	library := openLibrary(t, filepath.Join(folder, "library"))
	w := startWatch(t, library, newCounting("one"), Options{Paths: []string{photos}})
	w.wait("start", a)
	until := func(what string, has bool) {
		t.Helper()
		for range 200 {
			if (recordOf(t, library, a).Files[0].Sidecars != 0) == has {
				return
			}
			time.Sleep(25 * time.Millisecond)
		}
		t.Errorf("%s was not noticed", what)
	}
	sidecar := write(t, xmpOf("x"), photos, "deep", "a.xmp")
	until("a new sidecar", true)
	must(t, os.Remove(sidecar))
	until("that it went", false)
	if summary := w.stop(); summary.Reread != 2 || summary.Seen != 1 {
		t.Errorf("summary %+v", summary)
	}
}

// TestMetadataIsReadAgain: what an older version read is read again once, and all of it
// when that is asked for; stopping in between loses nothing.
func TestMetadataIsReadAgain(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	var paths []string
	for i := range 6 {
		paths = append(paths, write(t, testImage(t, uint64(i), 20, 20), photos, fmt.Sprint(i, ".jpg")))
	}
	write(t, testImage(t, 0, 20, 20), photos, "copy.jpg")
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	options := Options{Paths: []string{photos}}
	mustRun(t, library, engine, options)
	var old index.Batch
	for _, path := range paths[:4] {
		old.Metadata = append(old.Metadata, index.MetadataChange{ID: idOf(t, library, path), Metadata: index.Metadata{Title: "old"}})
	}
	_, err := library.Write(t.Context(), old)
	must(t, err)
	before := engine.images.Load()
	if diff := cmp.Diff(report.Summary{Seen: 7, Unchanged: 3, Reread: 4}, mustRun(t, library, engine, options)); diff != "" {
		t.Errorf("an older version's: %s", diff)
	}
	if diff := cmp.Diff(report.Summary{Seen: 7, Unchanged: 7}, mustRun(t, library, engine, options)); diff != "" {
		t.Errorf("then: %s", diff)
	}
	if slices.ContainsFunc(paths, func(path string) bool { return recordOf(t, library, path).Metadata.Title != "" }) {
		t.Error("the old metadata is still there")
	}
	options.Reread = true
	if diff := cmp.Diff(report.Summary{Seen: 7, Unchanged: 1, Reread: 6}, mustRun(t, library, engine, options)); diff != "" {
		t.Errorf("asked for: %s", diff)
	}
	if engine.images.Load() != before {
		t.Error("the model read pictures")
	}
}

// TestReadingAgainGoesOn: a run that is stopped while it reads metadata again has kept what
// it did, and the next does the rest.
func TestReadingAgainGoesOn(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	const n = 200
	for i := range n {
		write(t, testImage(t, uint64(i), 16, 12), photos, fmt.Sprint(i, ".jpg"))
	}
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	options := Options{Paths: []string{photos}, BatchSize: 1}
	mustRun(t, library, engine, Options{Paths: []string{photos}})
	old := func() (ids []index.ID) {
		snapshot := library.Snapshot()
		defer snapshot.Close()
		for record := range indextest.All(t, snapshot) {
			if record.MetadataVersion < metadata.Version {
				ids = append(ids, record.ID)
			}
		}
		return ids
	}
	var batch index.Batch
	for id := range index.ID(n) {
		batch.Metadata = append(batch.Metadata, index.MetadataChange{ID: id + 1})
	}
	_, err := library.Write(t.Context(), batch)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for len(old()) == n && ctx.Err() == nil {
			runtime.Gosched()
		}
		cancel()
	}()
	first, err := Run(ctx, library, engine, options)
	must(t, err)
	cancel()
	<-stopped
	left := len(old())
	if left == n || left > 0 && !first.Interrupted {
		t.Errorf("%d of %d are left, interrupted: %v", left, n, first.Interrupted)
	}
	second, err := Run(t.Context(), library, engine, options)
	must(t, err)
	if second.Reread != left || second.Older != left || len(old()) != 0 {
		t.Errorf("of %d left, %d were read again, %d of them of an older version", left, second.Reread, second.Older)
	}
}
