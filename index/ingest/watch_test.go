package ingest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/ingest/report"
)

// watching is a run that watches.
type watching struct {
	*testing.T
	library index.Library
	cancel  context.CancelFunc
	done    chan struct{}
	summary report.Summary
	err     error
}

// startWatch watches with everything quick, and returns when the first look is over
// unless there is none to wait for.
func startWatch(t *testing.T, library index.Library, engine Engine, options Options) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watching{T: t, library: library, cancel: cancel, done: make(chan struct{})}
	options.Watch, options.settle = true, 50*time.Millisecond
	if options.settleMost == 0 {
		options.settleMost = time.Second
	}
	go func() {
		defer close(w.done)
		w.summary, w.err = Run(ctx, library, engine, options)
	}()
	t.Cleanup(func() { w.stop() })
	return w
}

func (w *watching) stop() report.Summary {
	w.Helper()
	w.cancel()
	<-w.done
	if w.err != nil {
		w.Errorf("watch: %v", w.err)
	}
	return w.summary
}

// wait waits until the library has these paths and no others.
func (w *watching) wait(what string, paths ...string) {
	w.Helper()
	slices.Sort(paths)
	var got []string
	for range 200 {
		if got = pathsOf(w, w.library); slices.Equal(got, paths) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	w.Errorf("%s: %s", what, cmp.Diff(paths, got))
}

func pathsOf(tb testing.TB, library index.Library) []string {
	snapshot, err := library.Reader(context.Background())
	must(tb, err)
	defer snapshot.Close()
	var paths []string
	for record := range indextest.All(tb, snapshot) {
		paths = append(paths, record.Paths()...)
	}
	slices.Sort(paths)
	return paths
}

func TestWatchHearsOfChangesDuringTheFirstLook(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	first := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	late := filepath.Join(photos, "late.jpg")
	engine := newCounting("one")
	var once sync.Once
	engine.onImage = func() {
		once.Do(func() { // by now the folder has been listed
			write(t, testImage(t, 2, 20, 20), late)
		})
	}
	w := startWatch(t, openLibrary(t, filepath.Join(folder, "library")), engine, Options{Paths: []string{photos}})
	w.wait("written while the first was read", first, late)
}

func TestWatchThroughLinks(t *testing.T) {
	folder := t.TempDir()
	write(t, testImage(t, 1, 20, 20), folder, "real", "a.jpg")
	write(t, testImage(t, 2, 20, 20), folder, "elsewhere", "deep", "b.jpg")
	root := filepath.Join(folder, "link")
	must(t, os.Symlink("real", root))
	must(t, os.Symlink(filepath.Join("..", "elsewhere"), filepath.Join(folder, "real", "other")))
	w := startWatch(t, openLibrary(t, filepath.Join(folder, "library")), newCounting("one"), Options{Paths: []string{root}, FollowSymlinks: true})
	a, b := filepath.Join(root, "a.jpg"), filepath.Join(root, "other", "deep", "b.jpg")
	w.wait("start", a, b)
	write(t, testImage(t, 3, 20, 20), folder, "real", "c.jpg")
	c := filepath.Join(root, "c.jpg")
	w.wait("in the folder that the root leads to", a, b, c)
	write(t, testImage(t, 4, 20, 20), folder, "elsewhere", "deep", "d.jpg")
	d := filepath.Join(root, "other", "deep", "d.jpg")
	w.wait("behind a link below it", a, b, c, d)
	must(t, os.Symlink("..", filepath.Join(folder, "elsewhere", "up")))
	write(t, testImage(t, 5, 20, 20), folder, "real", "e.jpg")
	w.wait("with a link that leads back", a, b, c, d, filepath.Join(root, "e.jpg"))
}

func TestWatchMovedFolders(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	write(t, testImage(t, 1, 20, 20), photos, "old", "deep", "a.jpg")
	w := startWatch(t, openLibrary(t, filepath.Join(folder, "library")), newCounting("one"), Options{Paths: []string{photos}})
	w.wait("start", filepath.Join(photos, "old", "deep", "a.jpg"))
	must(t, os.Rename(filepath.Join(photos, "old"), filepath.Join(photos, "new")))
	a := filepath.Join(photos, "new", "deep", "a.jpg")
	w.wait("moved", a)
	b := write(t, testImage(t, 2, 20, 20), photos, "new", "deep", "b.jpg")
	w.wait("a file in the moved folder", a, b)
	must(t, os.RemoveAll(filepath.Join(photos, "new")))
	w.wait("all deleted")
}

// TestWatchRootThatGoesAway: a root that is moved away, as a drive is, takes nothing
// with it, and is followed again when it is back.
func TestWatchRootThatGoesAway(t *testing.T) {
	folder := t.TempDir()
	photos, aside := filepath.Join(folder, "photos"), filepath.Join(folder, "aside")
	beside := write(t, testImage(t, 3, 20, 20), folder, "beside", "x.jpg")
	a := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	library := openLibrary(t, filepath.Join(folder, "library"))
	mustRun(t, library, newCounting("one"), Options{Paths: []string{filepath.Dir(beside)}})
	must(t, os.RemoveAll(filepath.Dir(beside))) // and this one is not mounted either
	w := startWatch(t, library, newCounting("one"), Options{Paths: []string{photos}, PollInterval: 100 * time.Millisecond})
	w.wait("start", beside, a)
	must(t, os.Rename(photos, aside))
	time.Sleep(300 * time.Millisecond)
	w.wait("away", beside, a)
	must(t, os.Rename(aside, photos))
	b := write(t, testImage(t, 2, 20, 20), photos, "b.jpg")
	w.wait("back", beside, a, b)
	time.Sleep(200 * time.Millisecond)
	must(t, os.Remove(a))
	w.wait("followed again", beside, b)
}

// TestWatchDoesNotWaitForEver: a file that is written all the time holds up no other.
func TestWatchDoesNotWaitForEver(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	a := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	w := startWatch(t, openLibrary(t, filepath.Join(folder, "library")), newCounting("one"), Options{Paths: []string{photos}, settleMost: 300 * time.Millisecond})
	w.wait("start", a)
	ended, quiet := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(quiet)
		for n := 0; ; n++ {
			select {
			case <-ended:
				return
			case <-time.After(10 * time.Millisecond):
				_ = os.WriteFile(filepath.Join(photos, "growing.jpg"), make([]byte, n), 0o644)
			}
		}
	}()
	b := write(t, testImage(t, 2, 20, 20), photos, "b.jpg")
	w.wait("beside a growing one", a, b)
	close(ended)
	<-quiet
}

// TestWatchRoots: a root that is a file, and one inside another by whose rules it
// would be left out.
func TestWatchRoots(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	a := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	hidden := write(t, testImage(t, 2, 20, 20), photos, ".hidden", "b.jpg")
	single := write(t, testImage(t, 3, 20, 20), folder, "single", "c")
	library := openLibrary(t, filepath.Join(folder, "library"))
	w := startWatch(t, library, newCounting("one"), Options{Paths: []string{photos, filepath.Dir(hidden), single}})
	w.wait("start", a, hidden, single)
	d := write(t, testImage(t, 4, 20, 20), photos, ".hidden", "d.jpg")
	w.wait("in the inner root", a, hidden, single, d)
	before := recordOf(t, library, single)
	write(t, testImage(t, 5, 20, 20), single+".new")
	must(t, os.Rename(single+".new", single))
	for range 200 {
		if now := recordOf(t, library, single); len(pathsOf(t, library)) == 4 && now.ID == before.ID && now.Hash != before.Hash {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Error("the changed file was not looked at")
}

// TestWatchCounts: looks that find nothing new are not told of and count nothing, and
// what is put right no longer counts as failed.
func TestWatchCounts(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	a := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	half := testImage(t, 2, 20, 20)
	b := write(t, half[:len(half)/2], photos, "b.jpg")
	var mutex sync.Mutex
	calls := 0
	library := &countedReaders{Library: openLibrary(t, filepath.Join(folder, "library"))}
	w := startWatch(t, library, newCounting("one"), Options{
		Paths: []string{photos}, PollOnly: true, PollInterval: 20 * time.Millisecond,
		Progress: func(p report.Progress) {
			mutex.Lock()
			defer mutex.Unlock()
			if calls++; p.Seen > 2 {
				t.Errorf("%+v of two files", p)
			}
		},
	})
	w.wait("start", a)
	// Each look reads the library.
	library.await(library.read.Load() + 50)
	mutex.Lock()
	if calls > 3 {
		t.Errorf("%d calls while nothing happened", calls)
	}
	mutex.Unlock()
	must(t, os.WriteFile(b, half, 0o644))
	w.wait("whole", a, b)
	got := w.stop()
	if len(got.Failures) > 0 || got.Failed > 0 || got.Added != 2 || got.Unchanged != 0 || got.Seen != 2 || got.Interrupted {
		t.Errorf("%+v", got)
	}
}

// countedReaders counts how often a library is read.
type countedReaders struct {
	index.Library
	read atomic.Int64
}

func (l *countedReaders) Reader(ctx context.Context) (index.Reader, error) {
	l.read.Add(1)
	return l.Library.Reader(ctx)
}

// await waits until the library has been read count times.
func (l *countedReaders) await(count int64) {
	for l.read.Load() < count {
		time.Sleep(time.Millisecond)
	}
}

// TestWatchInterruptedInTheFirstLook is told from one that was ended while it watched.
func TestWatchInterruptedInTheFirstLook(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	for seed := range uint64(10) {
		write(t, testImage(t, seed, 20, 20), photos, time.Duration(seed).String()+".jpg")
	}
	engine := newCounting("one")
	reached, held := make(chan struct{}), make(chan struct{})
	var once sync.Once
	engine.onImage = func() {
		once.Do(func() {
			close(reached)
			<-held
		})
	}
	w := startWatch(t, openLibrary(t, filepath.Join(folder, "library")), engine, Options{Paths: []string{photos}})
	<-reached
	w.cancel()
	close(held)
	if got := w.stop(); !got.Interrupted {
		t.Errorf("%+v", got)
	}
}

// TestWatchForgetsFailures: a file that failed and went, or moved, no longer counts as
// failed at the end.
func TestWatchForgetsFailures(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	a := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	bad := write(t, []byte("half a picture"), photos, "bad.jpg")
	library := openLibrary(t, filepath.Join(folder, "library"))
	w := startWatch(t, library, newCounting("one"), Options{Paths: []string{photos}})
	w.wait("start", a)
	must(t, os.Remove(bad))
	for range 200 {
		snapshot := library.Snapshot()
		_, failed := indextest.Failure(t, snapshot, bad)
		must(t, snapshot.Close())
		if !failed {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	if summary := w.stop(); summary.Failed != 0 || len(summary.Failures) != 0 {
		t.Errorf("summary %+v", summary)
	}
}
