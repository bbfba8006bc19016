package ingest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/ingest/report"
)

// TestEditedFilesKeepWhatPeopleGave: a picture that is written again stays the same
// record, with its tags, unless its old content is somewhere else.
func TestEditedFilesKeepWhatPeopleGave(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	name := func(n string) string { return filepath.Join(photos, n) }
	edited := write(t, testImage(t, 1, 20, 20), name("edited.jpg"))
	copied := write(t, testImage(t, 2, 20, 20), name("copied.jpg"))
	write(t, testImage(t, 2, 20, 20), name("copy.jpg"))
	twin := write(t, testImage(t, 3, 20, 20), name("twin1.jpg"))
	twin2 := write(t, testImage(t, 3, 20, 20), name("twin2.jpg"))
	torn := write(t, testImage(t, 4, 20, 20), name("torn.jpg"))
	over := write(t, testImage(t, 5, 20, 20), name("over.jpg"))
	same := write(t, testImage(t, 6, 20, 20), name("same.jpg"))
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	options := Options{Paths: []string{photos}, BatchSize: 2}
	run := func(what string, want report.Summary) {
		t.Helper()
		if diff := cmp.Diff(want, mustRun(t, library, engine, options)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	run("first", report.Summary{Seen: 8, Added: 6, Attached: 2})
	for _, path := range []string{edited, copied, twin, torn, over, same} {
		tag(t, library, path)
	}
	before := recordOf(t, library, edited)

	write(t, testImage(t, 11, 30, 20), edited)
	write(t, testImage(t, 12, 20, 20), copied)
	write(t, testImage(t, 13, 20, 20), twin)
	write(t, testImage(t, 14, 20, 20), twin2)
	write(t, testImage(t, 15, 20, 20)[:100], torn) // half written
	write(t, testImage(t, 6, 20, 20), over)        // what another file holds
	run("edited", report.Summary{Seen: 8, Unchanged: 2, Added: 1, Changed: 3, Attached: 1, Failed: 1})

	after := recordOf(t, library, edited)
	if after.ID != before.ID || !after.Added.Equal(before.Added) || after.Hash == before.Hash || after.Width != 30 || after.PerceptualHash == before.PerceptualHash {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	hasTag(t, library, edited)
	if tags := recordOf(t, library, copied).Tags; len(tags) != 0 {
		t.Errorf("a file whose content is elsewhere got the tags %q", tags)
	}
	hasTag(t, library, twin)
	if tags := recordOf(t, library, twin2).Tags; !slices.Equal(tags, []string{"twin1.jpg"}) {
		t.Errorf("the second of two edited copies has the tags %q", tags)
	}
	hasTag(t, library, same)

	write(t, testImage(t, 15, 20, 20), torn)
	run("whole", report.Summary{Seen: 8, Unchanged: 7, Changed: 1})
	hasTag(t, library, torn)
	write(t, testImage(t, 5, 20, 20), name("back.jpg"))
	run("back", report.Summary{Seen: 9, Unchanged: 8, Added: 1})
	if tags := recordOf(t, library, name("back.jpg")).Tags; !slices.Equal(tags, []string{"over.jpg"}) {
		t.Errorf("content that came back has the tags %q", tags)
	}
}

// TestEditedAndMoved: a picture that was renamed, and whose name another took, is still
// the picture; the other is new.
func TestEditedAndMoved(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	a := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	mustRun(t, library, engine, Options{Paths: []string{photos}})
	tag(t, library, a)
	moved := filepath.Join(photos, "b.jpg")
	must(t, os.Rename(a, moved))
	write(t, testImage(t, 2, 20, 20), a)
	if diff := cmp.Diff(report.Summary{Seen: 2, Added: 1, Attached: 1}, mustRun(t, library, engine, Options{Paths: []string{photos}})); diff != "" {
		t.Error(diff)
	}
	if tags := recordOf(t, library, moved).Tags; !slices.Equal(tags, []string{"a.jpg"}) || len(recordOf(t, library, a).Tags) > 0 {
		t.Errorf("the moved picture has the tags %q, the new one %q", tags, recordOf(t, library, a).Tags)
	}
}

// TestPanicsCostTheirFile: a panic while one file is read is that file's failure.
func TestPanicsCostTheirFile(t *testing.T) {
	r := &run{options: must1(Options{}.ready())}
	seen := fileEntry{file: index.File{Path: "/a.jpg"}}
	result, err := r.guard(t.Context(), func(context.Context, fileEntry) (fileResult, error) { panic("a library failed") }, seen)
	if err != nil || result.failure == nil || result.file.Path != "/a.jpg" {
		t.Errorf("outcome %+v, %v", result, err)
	}
}

func must1[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// TestEditedWhilePeopleTag: what people take from a picture while its edited file is read
// stays taken.
func TestEditedWhilePeopleTag(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	a := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	removed := write(t, testImage(t, 2, 20, 20), photos, "removed.jpg")
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	options := Options{Paths: []string{photos}}
	mustRun(t, library, engine, options)
	tag(t, library, a, removed)
	id, gone := idOf(t, library, a), idOf(t, library, removed)
	write(t, testImage(t, 3, 20, 20), a)
	write(t, testImage(t, 4, 20, 20), removed)
	var once sync.Once
	engine.onImage = func() {
		once.Do(func() {
			must(t, index.Untag(t.Context(), library, []index.ID{id}, "a.jpg"))
			must(t, index.Tag(t.Context(), library, []index.ID{id}, "later"))
			must(t, index.Remove(t.Context(), library, gone))
		})
	}
	mustRun(t, library, engine, options)
	if tags := recordOf(t, library, a).Tags; !slices.Equal(tags, []string{"later"}) {
		t.Errorf("tags %q", tags)
	}
	if record := recordOf(t, library, removed); record.ID == gone || len(record.Tags) > 0 {
		t.Errorf("what was removed is back: %+v", record)
	}
}
