package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/ingest/drives"
	"mekiki/index/ingest/report"
	"mekiki/index/ingest/textrecord"
	"mekiki/index/local"
	"mekiki/internal/testpictures"
	"mekiki/internal/vfs/vfstest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"))
}

func TestRunRecognisesWhatHappenedToFiles(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	for seed := range uint64(10) {
		write(t, testImage(t, seed, 40, 30), photos, "a", string(rune('a'+seed))+".jpg")
	}
	engine := newCounting("one")
	library := openLibrary(t, filepath.Join(folder, "library"))
	options := Options{Paths: []string{photos}}
	step := func(name string, want report.Summary, images int64) {
		t.Helper()
		before := engine.images.Load()
		if diff := cmp.Diff(want, mustRun(t, library, engine, options)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if got := engine.images.Load() - before; got != images {
			t.Errorf("%s: the model saw %d images, want %d", name, got, images)
		}
	}
	step("first run", report.Summary{Seen: 10, Added: 10}, 10)
	step("nothing changed", report.Summary{Seen: 10, Unchanged: 10}, 0)
	must(t, os.Rename(filepath.Join(photos, "a", "a.jpg"), filepath.Join(photos, "moved.jpg")))
	step("moved", report.Summary{Seen: 10, Unchanged: 9, Attached: 1, Removed: 1}, 0)
	write(t, testImage(t, 1, 40, 30), photos, "copy.jpg")
	step("copied", report.Summary{Seen: 11, Unchanged: 10, Attached: 1}, 0)
	write(t, testImage(t, 99, 40, 30), photos, "a", "b.jpg")
	step("changed", report.Summary{Seen: 11, Unchanged: 10, Added: 1}, 1)
	must(t, os.Remove(filepath.Join(photos, "a", "c.jpg")))
	step("deleted", report.Summary{Seen: 10, Unchanged: 10, Removed: 1}, 0)
	now := time.Now().Add(time.Hour)
	must(t, os.Chtimes(filepath.Join(photos, "a", "d.jpg"), now, now))
	step("touched", report.Summary{Seen: 10, Unchanged: 9, Attached: 1}, 0)
	write(t, []byte("no image at all"), photos, "a", "e.jpg")
	step("damaged", report.Summary{Seen: 10, Unchanged: 9, Failed: 1}, 0)
	step("damaged as before", report.Summary{Seen: 10, Unchanged: 10}, 0)
	write(t, testImage(t, 4, 40, 30), photos, "a", "e.jpg")
	step("restored", report.Summary{Seen: 10, Unchanged: 9, Added: 1}, 1)

	snapshot := library.Snapshot()
	defer snapshot.Close()
	if got := snapshot.Count(index.KindImage); got != 10 {
		t.Errorf("%d images, want 10", got)
	}
	if len(indextest.Failures(t, snapshot)) != 0 {
		t.Errorf("failures: %+v", indextest.Failures(t, snapshot))
	}
	record, there := indextest.RecordByPath(t, snapshot, filepath.Join(photos, "moved.jpg"))
	if !there || len(record.Captions) != 1 || record.Captions[0].Match < 0.2 || record.Width != 40 || record.PerceptualHash == 0 {
		t.Errorf("moved record: %+v", record)
	}
	thumbnail, err := snapshot.Thumbnail(t.Context(), record.ID)
	if err != nil || !bytes.HasPrefix(thumbnail, []byte("\xFF\xD8")) {
		t.Errorf("thumbnail: %v", err)
	}
}

func TestBadFilesAreListedAndCostNothingElse(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	whole := testImage(t, 1, 64, 64)
	write(t, whole, photos, "good.jpg")
	write(t, testPNG(t, 30, 20), photos, "really-a-png.jpg")
	write(t, testPNG(t, 30, 20)[:60], photos, "truncated.jpg")
	write(t, nil, photos, "empty.jpg")
	write(t, []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02\x44\x01\x00;"), photos, "bomb.gif")
	write(t, bytes.Repeat([]byte{0}, 1000), photos, "zeros.png")
	unreadable := write(t, whole, photos, "unreadable.jpg")
	must(t, os.Chmod(unreadable, 0))
	write(t, []byte("text"), photos, "notes.txt")
	write(t, testImage(t, 5, 13, 13), photos, "refused.jpg")

	engine := newCounting("one")
	engine.refuse = 13
	library := openLibrary(t, filepath.Join(folder, "library"))
	summary, err := Run(t.Context(), library, engine, Options{Paths: []string{photos}})
	must(t, err)
	snapshot := library.Snapshot()
	defer snapshot.Close()
	failed := map[string]string{}
	for _, failure := range indextest.Failures(t, snapshot) {
		failed[filepath.Base(failure.File.Path)] = failure.Reason
	}
	want := []string{"bomb.gif", "empty.jpg", "refused.jpg", "truncated.jpg", "zeros.png"}
	if os.Getuid() != 0 {
		want = append(want, "unreadable.jpg")
	}
	for _, name := range want {
		if failed[name] == "" {
			t.Errorf("%s is not among the failures %v", name, failed)
		}
	}
	if len(failed) != len(want) || summary.Failed != len(want) {
		t.Errorf("failures %v, want %v", failed, want)
	}
	if _, there := indextest.RecordByPath(t, snapshot, filepath.Join(photos, "really-a-png.jpg")); !there {
		t.Error("the PNG with a wrong extension is not in")
	}
}

// TestZoo: among everything that folders hold, each picture is in, and what is
// none is listed with its reason, also by the next run.
func TestZoo(t *testing.T) {
	for name, follow := range map[string]bool{"links left alone": false, "links followed": true} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			zoo, err := testpictures.Zoo(filepath.Join(folder, "zoo"), "../../embed/pixels/testdata/files", makePipe)
			must(t, err)
			t.Cleanup(func() { must(t, os.Chmod(filepath.Join(folder, "zoo", "private-folder"), 0o777)) })
			want := map[string]bool{}
			pictures, damaged := 0, 0
			for _, file := range zoo {
				path := filepath.Join(folder, "zoo", file.Name)
				switch {
				case file.Good || file.Private && os.Getuid() == 0:
					if pictures++; file.Damaged {
						damaged++
					}
				case file.Linked && !follow:
				case file.Private && strings.Contains(file.Name, "/"):
					want[filepath.Dir(path)] = true
				default:
					want[path] = true
				}
			}
			library := openLibrary(t, filepath.Join(folder, "library"))
			options := Options{Paths: []string{filepath.Join(folder, "zoo")}, FollowSymlinks: follow}
			summary := mustRun(t, library, newCounting("one"), options)
			if diff := cmp.Diff(report.Summary{Seen: pictures + len(want), Added: pictures, Damaged: damaged, Failed: len(want)}, summary); diff != "" {
				t.Error(diff)
			}
			snapshot := library.Snapshot()
			defer snapshot.Close()
			got := map[string]bool{}
			for _, failure := range indextest.Failures(t, snapshot) {
				got[failure.File.Path] = failure.Reason != ""
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("failures:\n%s", diff)
			}
			again := mustRun(t, library, newCounting("one"), options)
			if again.Seen != summary.Seen || again.Added != 0 || again.Unchanged+again.Failed != again.Seen {
				t.Errorf("second run: %+v", again)
			}
		})
	}
}

// TestPermissionGivenLater: a file that may be read later is tried again,
// although nothing of it has changed.
func TestPermissionGivenLater(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("the superuser may read everything")
	}
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	file := write(t, testImage(t, 1, 40, 30), photos, "one.jpg")
	write(t, testImage(t, 2, 40, 30), photos, "below", "two.jpg")
	must(t, os.Chmod(file, 0))
	must(t, os.Chmod(filepath.Join(photos, "below"), 0))
	library := openLibrary(t, filepath.Join(folder, "library"))
	options := Options{Paths: []string{photos}}
	for range 2 {
		if got := mustRun(t, library, newCounting("one"), options); got.Failed != 2 || got.Added != 0 {
			t.Errorf("without permission: %+v", got)
		}
	}
	must(t, os.Chmod(file, 0o666))
	must(t, os.Chmod(filepath.Join(photos, "below"), 0o777))
	if got := mustRun(t, library, newCounting("one"), options); got.Added != 2 || got.Failed != 0 {
		t.Errorf("with permission: %+v", got)
	}
	snapshot := library.Snapshot()
	defer snapshot.Close()
	if failures := indextest.Failures(t, snapshot); len(failures) > 0 {
		t.Errorf("still failed: %+v", failures)
	}
}

// TestProgressKnowsTheTotalEarly: the number of files is counted while the
// model has barely begun.
func TestProgressKnowsTheTotalEarly(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	const n = 600 // more than the pipeline takes in
	for seed := range uint64(n) {
		write(t, []byte{byte(seed), byte(seed >> 8)}, photos, time.Duration(seed).String()+".jpg")
	}
	write(t, testImage(t, 1, 20, 20), photos, "0.jpg") // comes first, and waits
	engine := newCounting("one")
	known := make(chan struct{})
	engine.onImage = func() { <-known }
	var once sync.Once
	options := Options{Paths: []string{photos}, ModelBatch: 1, Progress: func(p report.Progress) {
		if p.Total == n+1 && !p.Walked {
			once.Do(func() { close(known) })
		}
		if p.Finished && (p.Total != n+1 || p.Done() != p.Total || p.Remaining != 0) {
			t.Errorf("at the end: %+v", p)
		}
	}}
	mustRun(t, openLibrary(t, filepath.Join(folder, "library")), engine, options)
}

func TestInterruptedRunResumes(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	const n = 40
	for seed := range uint64(n) {
		write(t, testImage(t, seed, 20, 20), photos, time.Duration(seed).String()+".jpg")
	}
	engine := newCounting("one")
	library := openLibrary(t, filepath.Join(folder, "library"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	engine.onImage = func() {
		if engine.images.Load() == 17 {
			cancel()
		}
	}
	options := Options{Paths: []string{photos}, BatchSize: 4, ModelBatch: 2}
	summary, err := Run(ctx, library, engine, options)
	if err != nil || !summary.Interrupted {
		t.Fatalf("interrupted run: %+v, %v", summary, err)
	}
	snapshot := library.Snapshot()
	first := snapshot.Count(0)
	snapshot.Close()
	if first < 14 || first > 17 {
		t.Errorf("%d images are in after the model saw 17", first)
	}
	engine.onImage = nil
	again := mustRun(t, library, engine, options)
	if again.Added != n-first || again.Unchanged != first {
		t.Errorf("resumed: %+v after %d", again, first)
	}
}

// TestCaptionsOfAModelThatCannotMatch wants the likeliest caption to be kept, unjudged.
func TestCaptionsOfAModelThatCannotMatch(t *testing.T) {
	folder := t.TempDir()
	library := openLibrary(t, filepath.Join(folder, "library"))
	path := filepath.Join(folder, "photos", "a.jpg")
	write(t, testImage(t, 1, 40, 30), path)
	engine := newCounting("one")
	engine.matchless = true
	if got := mustRun(t, library, engine, Options{Paths: []string{filepath.Dir(path)}}); got.Added != 1 {
		t.Fatalf("summary %+v", got)
	}
	snapshot := library.Snapshot()
	defer snapshot.Close()
	record, _ := indextest.RecordByPath(t, snapshot, path)
	if len(record.Captions) != 1 || record.Captions[0].Match != -1 || record.Captions[0].Text != "a picture!" {
		t.Errorf("captions %+v", record.Captions)
	}
}

// TestDecodedPicturesAreNotDecodedAgain gives one that is another than the file's, to
// tell which was used.
func TestDecodedPicturesAreNotDecodedAgain(t *testing.T) {
	folder := t.TempDir()
	data := testImage(t, 1, 40, 30)
	write(t, data, folder, "photos", "a.jpg")
	write(t, testImage(t, 2, 40, 30), folder, "photos", "b.jpg")
	picture, err := pixels.New(50, 20)
	must(t, err)
	library := openLibrary(t, filepath.Join(folder, "library"))
	mustRun(t, library, newCounting("one"), Options{
		Paths:   []string{filepath.Join(folder, "photos")},
		Decoded: map[index.Hash]*pixels.Image{sha256.Sum256(data): picture},
	})
	snapshot := library.Snapshot()
	defer snapshot.Close()
	for name, width := range map[string]int{"a.jpg": 50, "b.jpg": 40} {
		if got, _ := indextest.RecordByPath(t, snapshot, filepath.Join(folder, "photos", name)); got.Width != width {
			t.Errorf("%s: %d pixels wide, want %d", name, got.Width, width)
		}
	}
}

func TestModelThatAlwaysFailsStopsTheRun(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	for seed := range uint64(20) {
		write(t, testImage(t, seed, 13, 13), photos, time.Duration(seed).String()+".jpg")
	}
	engine := newCounting("one")
	engine.refuse = 13
	library := openLibrary(t, filepath.Join(folder, "library"))
	if _, err := Run(t.Context(), library, engine, Options{Paths: []string{photos}}); !errors.Is(err, ErrModel) {
		t.Errorf("run: %v", err)
	}
	// It was the model's failure, and no image's.
	engine.refuse = 0
	if got := mustRun(t, library, engine, Options{Paths: []string{photos}}); got.Added != 20 || got.Unchanged != 0 {
		t.Errorf("once the model works: %+v", got)
	}
}

// TestCopiesAreCountedOnce, as what became of them.
func TestCopiesAreCountedOnce(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	for _, name := range []string{"a.jpg", "b.jpg", "c.jpg"} {
		write(t, testImage(t, 1, 13, 13), photos, "refused", name)
		write(t, testImage(t, 2, 20, 20), photos, "taken", name)
	}
	engine := newCounting("one")
	engine.refuse = 13
	library := openLibrary(t, filepath.Join(folder, "library"))
	got := mustRun(t, library, engine, Options{Paths: []string{photos}})
	if want := (report.Summary{Seen: 6, Added: 1, Attached: 2, Failed: 3}); !cmp.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestCommitThatFailsIsNotTriedAgain: the library has said what is wrong, and what
// was committed before stays.
func TestCommitThatFailsIsNotTriedAgain(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	for seed := range uint64(6) {
		write(t, testImage(t, seed, 20, 20), photos, time.Duration(seed).String()+".jpg")
	}
	var full atomic.Int64
	disk := &vfstest.Faulty{Base: vfstest.NewMemory(), Fail: func(_ int64, operation vfstest.Operation) error {
		if operation.Verb == "write" && strings.Contains(operation.Name, "spaces") && full.Add(1) > 7 {
			return syscall.ENOSPC
		}
		return nil
	}}
	library, err := local.Open(t.Context(), "/library", local.Options{FileSystem: disk})
	must(t, err)
	defer library.Close()
	var logged bytes.Buffer
	_, err = Run(t.Context(), library, newCounting("one"), Options{
		Paths: []string{photos}, BatchSize: 1, ModelBatch: 1, Logger: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	if !errors.Is(err, syscall.ENOSPC) || strings.Count(err.Error(), "no space") != 1 || strings.Contains(logged.String(), "no space") {
		t.Errorf("%v; %s", err, logged.String())
	}
	if got := len(pathsOf(t, library)); got == 0 || got == 6 {
		t.Errorf("%d images are in", got)
	}
}

func TestWalkRules(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	for i, name := range []string{"a.jpg", "b.PNG", ".hidden.jpg", "sub/c.jpg", "sub/deep/d.jpg", "drafts/e.jpg", ".dir/f.jpg", "g.txt"} {
		write(t, testImage(t, uint64(i), 8, 8), photos, filepath.FromSlash(name))
	}
	must(t, os.Symlink(filepath.Join(photos, "sub"), filepath.Join(photos, "link")))
	must(t, os.Symlink(photos, filepath.Join(photos, "sub", "loop")))
	for _, test := range []struct {
		name    string
		options Options
		want    string
	}{
		{"default", Options{}, "a.jpg b.PNG drafts/e.jpg sub/c.jpg sub/deep/d.jpg"},
		{"hidden", Options{Hidden: true}, ".dir/f.jpg .hidden.jpg a.jpg b.PNG drafts/e.jpg sub/c.jpg sub/deep/d.jpg"},
		{"depth", Options{MaxDepth: 1}, "a.jpg b.PNG"},
		{"exclude", Options{Exclude: []string{"drafts", "sub/**/d.*"}}, "a.jpg b.PNG sub/c.jpg"},
		{"include", Options{Include: []string{"*.jpg"}}, "a.jpg drafts/e.jpg sub/c.jpg sub/deep/d.jpg"},
		{"include path", Options{Include: []string{"sub/*.jpg", "*.txt"}}, "g.txt sub/c.jpg"},
		{"links", Options{FollowSymlinks: true}, "a.jpg b.PNG drafts/e.jpg link/c.jpg link/deep/d.jpg"},
	} {
		t.Run(test.name, func(t *testing.T) {
			library := openLibrary(t, filepath.Join(t.TempDir(), "library"))
			test.options.Paths = []string{photos}
			mustRun(t, library, newCounting("one"), test.options)
			snapshot := library.Snapshot()
			defer snapshot.Close()
			var found []string
			for record := range indextest.All(t, snapshot) {
				for _, path := range record.Paths() {
					relative, err := filepath.Rel(photos, path)
					must(t, err)
					found = append(found, filepath.ToSlash(relative))
				}
			}
			less := func(a, b string) bool { return a < b }
			if diff := cmp.Diff(strings.Fields(test.want), found, cmpopts.SortSlices(less)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTheLibraryIsNotIndexed: its folder may lie among the pictures, under whatever
// name; the thumbnails in it are no pictures of anybody's.
func TestTheLibraryIsNotIndexed(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	write(t, testImage(t, 1, 600, 600), photos, "a.jpg")
	library := openLibrary(t, filepath.Join(photos, "library"))
	mustRun(t, library, newCounting("one"), Options{Paths: []string{photos}})
	snapshot := library.Snapshot()
	defer snapshot.Close()
	_, err := snapshot.Thumbnail(t.Context(), idOf(t, library, filepath.Join(photos, "a.jpg")))
	must(t, err)
	must(t, os.Symlink("photos", filepath.Join(folder, "link")))
	must(t, os.Mkdir(filepath.Join(folder, "beside"), 0o755))
	must(t, os.Symlink(filepath.Join(photos, "library"), filepath.Join(folder, "beside", "library")))
	for name, options := range map[string]Options{
		"by its name":              {Paths: []string{photos}},
		"in a root that is a link": {Paths: []string{filepath.Join(folder, "link")}},
		"behind a link":            {Paths: []string{filepath.Join(folder, "beside")}, FollowSymlinks: true},
		"as a root":                {Paths: []string{filepath.Join(photos, "library")}},
	} {
		if got := mustRun(t, library, newCounting("one"), options); got.Added > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestFileInThePlaceOfAFolder: what the folder held is gone.
func TestFileInThePlaceOfAFolder(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	write(t, testImage(t, 1, 20, 20), photos, "sub", "a.jpg")
	write(t, testImage(t, 2, 20, 20), photos, "b.jpg")
	library := openLibrary(t, filepath.Join(folder, "library"))
	options := Options{Paths: []string{photos}, BatchDelay: 1}
	mustRun(t, library, newCounting("one"), options)
	must(t, os.RemoveAll(filepath.Join(photos, "sub")))
	write(t, nil, photos, "sub")
	if got, want := mustRun(t, library, newCounting("one"), options), (report.Summary{Seen: 1, Unchanged: 1, Removed: 1}); !cmp.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestFileThatGrew since it was found costs no memory.
func TestFileThatGrew(t *testing.T) {
	path := write(t, nil, t.TempDir(), "a.jpg")
	found, err := os.Stat(path)
	must(t, err)
	must(t, os.Truncate(path, 1<<42))
	_, stamp, err := drives.ReadStable(drives.StampOf(path, found), false)
	if !errors.Is(err, pixels.ErrTooLarge) || stamp.Bytes != 1<<42 {
		t.Errorf("%+v, %v", stamp, err)
	}
}

func TestUnmountedFoldersKeepTheirRecords(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	library := openLibrary(t, filepath.Join(folder, "library"))
	mustRun(t, library, newCounting("one"), Options{Paths: []string{photos}})
	must(t, os.RemoveAll(photos))
	if _, err := Run(t.Context(), library, newCounting("one"), Options{Paths: []string{photos}}); err == nil {
		t.Error("a missing folder is no error")
	}
	must(t, os.Mkdir(photos, 0o755))
	if summary := mustRun(t, library, newCounting("one"), Options{Paths: []string{photos}}); summary.Removed != 0 {
		t.Errorf("an empty folder: %+v", summary)
	}
	write(t, testImage(t, 2, 20, 20), photos, "b.jpg")
	if summary := mustRun(t, library, newCounting("one"), Options{Paths: []string{photos}}); summary.Removed != 1 {
		t.Errorf("a folder with another file: %+v", summary)
	}
}

func TestSecondModelBesideTheFirst(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	for seed := range uint64(5) {
		write(t, testImage(t, seed, 20, 20), photos, time.Duration(seed).String()+".jpg")
	}
	library := openLibrary(t, filepath.Join(folder, "library"))
	one, two := newCounting("one"), newCounting("two")
	mustRun(t, library, one, Options{Paths: []string{photos}})
	if _, err := Run(t.Context(), library, two, Options{Paths: []string{photos}}); !errors.Is(err, index.ErrSpace) {
		t.Errorf("another model: %v", err)
	}
	_, err := textrecord.AddFile(t.Context(), library, one, strings.NewReader("a red gate\n"), textrecord.Options{})
	must(t, err)
	summary, err := Fill(t.Context(), library, two, Options{})
	must(t, err)
	if summary.Added != 5 || two.texts.Load() != 1 {
		t.Errorf("fill: %+v, %d texts", summary, two.texts.Load())
	}
	must(t, library.ServeSpace(t.Context(), two.Space()))
	snapshot := library.Snapshot()
	defer snapshot.Close()
	if _, err := index.One(snapshot.Parts(t.Context(), []index.ID{5})); err != nil {
		t.Error(err)
	}
}

func TestTexts(t *testing.T) {
	library := openLibrary(t, filepath.Join(t.TempDir(), "library"))
	engine := newCounting("one")
	add := func(format textrecord.Format, text string) textrecord.Summary {
		t.Helper()
		summary, err := textrecord.AddFile(t.Context(), library, engine, strings.NewReader(text), textrecord.Options{Format: format, BatchSize: 2})
		must(t, err)
		return summary
	}
	if got := add(textrecord.Lines, "one\n\n two \r\nthree"); got != (textrecord.Summary{Read: 3, Added: 3}) {
		t.Errorf("lines: %+v", got)
	}
	if got := add(textrecord.Lines, "one\nfour\n"); got != (textrecord.Summary{Read: 2, Added: 1, Known: 1}) {
		t.Errorf("lines again: %+v", got)
	}
	add(textrecord.CSV, "id,text,price\nsku-1,\"red, shoe\",10\nsku-2,blue shoe,12\n")
	add(textrecord.JSONL, `{"id": 7, "text": "a lamp", "tags": ["home"], "watts": 40}`+"\n"+`"just words"`+"\n")
	add(textrecord.CSV, "id,text,price\nsku-1,\"red, shoe\",9\n")
	snapshot := library.Snapshot()
	defer snapshot.Close()
	shoe, there := indextest.RecordByExternalID(t, snapshot, "sku-1")
	if !there || shoe.Text != "red, shoe" || shoe.Fields["price"] != "9" {
		t.Errorf("shoe: %+v", shoe)
	}
	lamp, there := indextest.RecordByExternalID(t, snapshot, "7")
	if !there || lamp.Fields["watts"] != "40" || !cmp.Equal(lamp.Tags, []string{"home"}) {
		t.Errorf("lamp: %+v", lamp)
	}
	if got := snapshot.Count(index.KindText); got != 8 {
		t.Errorf("%d texts, want 8", got)
	}
	for _, bad := range []struct {
		format textrecord.Format
		text   string
	}{{textrecord.JSONL, "{"}, {textrecord.JSONL, `{"text": 3}`}, {textrecord.JSONL, `{"id": "x"}`}, {textrecord.CSV, "a,b\n1\n"}, {textrecord.Lines, "\xff\xfe\n"}, {"xml", "x"}} {
		if _, err := textrecord.AddFile(t.Context(), library, engine, strings.NewReader(bad.text), textrecord.Options{Format: bad.format}); err == nil {
			t.Errorf("%s %q was taken", bad.format, bad.text)
		}
	}
}

func TestWatch(t *testing.T) {
	for _, pollOnly := range []bool{false, true} {
		folder := t.TempDir()
		photos := filepath.Join(folder, "photos")
		first := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
		library := openLibrary(t, filepath.Join(folder, "library"))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := Run(ctx, library, newCounting("one"), Options{Paths: []string{photos}, Watch: true, PollOnly: pollOnly, PollInterval: 100 * time.Millisecond})
			done <- err
		}()
		wait := func(what string, count int) {
			t.Helper()
			for range 200 {
				snapshot := library.Snapshot()
				got := snapshot.Count(0)
				snapshot.Close()
				if got == count {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.Fatalf("%s: never came to %d images", what, count)
		}
		wait("start", 1)
		time.Sleep(300 * time.Millisecond)
		write(t, testImage(t, 2, 20, 20), photos, "new", "deep", "b.jpg")
		wait("new folder", 2)
		must(t, os.Remove(first))
		wait("removed", 1)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("watch: %v", err)
		}
	}
}
