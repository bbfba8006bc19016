package originals

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local"
	"mekiki/internal/vfs"
)

var quiet = slog.New(slog.DiscardHandler)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func claim(t *testing.T, store *Store, content string) *Claim {
	t.Helper()
	claim, err := store.Claim(t.Context(), sha256.Sum256([]byte(content)))
	must(t, err)
	return claim
}

// keep keeps a content as a request does that is broken off before its commit.
func keep(t *testing.T, store *Store, content string) string {
	t.Helper()
	c := claim(t, store, content)
	defer c.Release()
	path, err := c.Keep([]byte(content), "jpeg")
	must(t, err)
	return path
}

// open opens a library beside its uploads, closed with the test.
func open(t *testing.T) (*local.Library, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "library")
	library, err := local.Open(t.Context(), folder, local.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, library.Close()) })
	return library, FolderOf(folder)
}

// put makes a record of a content in a file, or with none.
func put(t *testing.T, library *local.Library, content string, paths ...string) index.ID {
	t.Helper()
	record := index.Record{Kind: index.KindImage, Hash: sha256.Sum256([]byte(content)), Bytes: int64(len(content))}
	for _, path := range paths {
		file := index.File{Path: path, Bytes: int64(len(content)), Name: "a name.jpg"}
		if stat, err := os.Stat(path); err == nil {
			file.Modified, file.Inode = stat.ModTime(), vfs.Inode(stat)
		}
		record.Files = append(record.Files, file)
	}
	result, err := library.Write(t.Context(), index.Batch{Puts: []index.Put{{Record: record}}})
	must(t, err)
	return result.IDs[0]
}

func TestKeep(t *testing.T) {
	store := New(filepath.Join(t.TempDir(), "uploads"))
	path := keep(t, store, "one")
	before, err := os.Stat(path)
	must(t, err)
	if again := keep(t, store, "one"); again != path {
		t.Errorf("kept at %s and %s", path, again)
	}
	after, err := os.Stat(path)
	must(t, err)
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("a good file was replaced")
	}
	for name, spoil := range map[string]func() error{
		"cut":    func() error { return os.Truncate(path, 1) },
		"other":  func() error { return os.WriteFile(path, []byte("two"), 0o600) },
		"gone":   func() error { return os.Remove(path) },
		"a link": func() error { return errors.Join(os.Remove(path), os.Symlink(filepath.Join(store.folder, "x"), path)) },
	} {
		must(t, spoil())
		keep(t, store, "one")
		if data, err := os.ReadFile(path); err != nil || string(data) != "one" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		if stat, err := os.Lstat(path); err != nil || !stat.Mode().IsRegular() || stat.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, stat, err)
		}
	}
	c := claim(t, store, "one")
	for _, extension := range []string{"", "../x", "a.b", "JPG", strings.Repeat("x", 17)} {
		if _, err := c.Keep([]byte("one"), extension); err == nil {
			t.Errorf("the extension %q was taken", extension)
		}
	}
	outside := filepath.Join(filepath.Dir(store.folder), "outside")
	must(t, os.WriteFile(outside, nil, 0o600))
	must(t, c.Discard(path, outside))
	c.Release()
	if _, err := os.Lstat(outside); err != nil {
		t.Errorf("a file outside was deleted: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(store.folder, "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// TestKeepMakesNoFolderAnew takes the folder away, or the one that it lies in.
func TestKeepMakesNoFolderAnew(t *testing.T) {
	folder := t.TempDir()
	store := New(filepath.Join(folder, "uploads"))
	keep(t, store, "one")
	must(t, os.Rename(store.folder, store.folder+"-away"))
	for _, store := range []*Store{store, New(filepath.Join(folder, "missing", "uploads"))} {
		c := claim(t, store, "two")
		if path, err := c.Keep([]byte("two"), "jpeg"); err == nil {
			t.Errorf("kept at %s", path)
		}
		c.Release()
		if _, err := os.Lstat(store.folder); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the folder was made: %v", err)
		}
	}
	c := claim(t, store, "two")
	defer c.Release()
	if _, err := c.Keep([]byte("two"), "jpeg"); !errors.Is(err, ErrFolderGone) {
		t.Errorf("keeping gives %v", err)
	}
	// Another folder in its place, as below a drive that is not mounted.
	must(t, os.Mkdir(store.folder, 0o700))
	if _, err := c.Keep([]byte("two"), "jpeg"); !errors.Is(err, ErrFolderGone) {
		t.Errorf("keeping in another folder gives %v", err)
	}
	if entries, err := os.ReadDir(store.folder); err != nil || len(entries) > 0 {
		t.Errorf("another folder holds %v, %v", entries, err)
	}
	must(t, os.Remove(store.folder))
	must(t, os.Rename(store.folder+"-away", store.folder))
	if _, err := c.Keep([]byte("two"), "jpeg"); err != nil {
		t.Errorf("keeping in the folder that was put back: %v", err)
	}
}

// TestClaim holds that one content has one claim at a time, and different ones do
// not wait for each other.
func TestClaim(t *testing.T) {
	store := New(t.TempDir())
	first := claim(t, store, "one")
	claim(t, store, "two").Release()
	impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := store.Claim(impatient, first.hash); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second claim gives %v", err)
	}
	first.Release()
	var group sync.WaitGroup
	holders := 0 // the race detector sees two at a time
	for range 50 {
		group.Go(func() {
			held, err := store.Claim(context.Background(), first.hash)
			if err != nil {
				t.Error(err)
				return
			}
			holders++
			held.Release()
		})
	}
	group.Wait()
	if holders != 50 || len(store.claims) != 0 {
		t.Errorf("%d holders, %d claims are remembered", holders, len(store.claims))
	}
}

// world is a library with everything that a folder of uploads can hold.
type world struct {
	library *local.Library
	folder  string
	// left must stay as they are; swept must go, and aside to the quarantine.
	left, swept, aside []string
	moved              index.ID // its original is not where its record says
	missing            index.ID
}

func newWorld(t *testing.T) *world {
	t.Helper()
	library, folder := open(t)
	w, store := &world{library: library, folder: folder}, New(folder)
	settled := func(content string) string {
		path := keep(t, store, content)
		c := claim(t, store, content)
		defer c.Release()
		must(t, c.Settle())
		return path
	}
	file := func(content string, name ...string) string {
		path := filepath.Join(append([]string{folder}, name...)...)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	note := func(content string) string { return claim(t, New(folder), content).note() }

	named := settled("named")
	put(t, library, "named", named)
	pending := keep(t, store, "committed, then killed")
	put(t, library, "committed, then killed", pending)
	w.left = append(w.left, named, pending)
	w.swept = append(w.swept, note("committed, then killed"))

	w.swept = append(w.swept, keep(t, store, "killed before the commit"), note("killed before the commit"))
	begun := claim(t, New(folder), "killed while it was written")
	w.swept = append(w.swept, file("kil", begun.hash.String()[:2], filepath.Base(begun.staged())))
	w.swept = append(w.swept, file("", "ab", ".upload-123"))

	w.aside = append(w.aside, settled("acknowledged, and not in this library"))

	elsewhere := filepath.Join(filepath.Dir(folder), "before-it-moved", filepath.Base(filepath.Dir(settled("moved"))), filepath.Base(settled("moved")))
	w.moved = put(t, library, "moved", elsewhere)
	w.left = append(w.left, settled("moved"))

	gone := settled("gone")
	w.missing = put(t, library, "gone", gone)
	must(t, os.Remove(gone))

	for _, name := range []string{"notes.txt", "ab/holiday.jpg", "ab/" + strings.Repeat("z", 64) + ".jpeg", "other/" + filepath.Base(named), "ab/.hidden", "ab/.upload-x"} {
		w.left = append(w.left, file("not ours", filepath.FromSlash(name)))
	}
	return w
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (w *world) check(t *testing.T) index.CheckReport {
	t.Helper()
	var report index.CheckReport
	must(t, Check(t.Context(), w.library, w.folder, &report))
	return report
}

func TestSweep(t *testing.T) {
	w := newWorld(t)
	swept, err := Sweep(t.Context(), w.library, w.folder, quiet)
	must(t, err)
	if want := (Swept{Removed: 1, Aside: 1, Found: 1}); swept != want {
		t.Errorf("swept %+v, want %+v", swept, want)
	}
	for _, path := range w.left {
		if !exists(path) {
			t.Errorf("%s is gone", path)
		}
	}
	for _, path := range w.swept {
		if exists(path) {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range w.aside {
		if exists(path) || !exists(filepath.Join(AsideOf(w.library.Folder()), filepath.Base(path))) {
			t.Errorf("%s is not put aside", path)
		}
	}
	snapshot := w.library.Snapshot()
	defer snapshot.Close()
	if file, err := snapshot.OpenOriginal(t.Context(), w.moved); err != nil {
		t.Error(err)
	} else if err := file.Close(); err != nil {
		t.Error(err)
	}
	if record, _ := indextest.Record(t, snapshot, w.moved); len(record.Files) != 1 || record.Name() != "a name.jpg" {
		t.Errorf("the moved record has %+v", record.Files)
	}
	if swept, err := Sweep(t.Context(), w.library, w.folder, quiet); err != nil || swept != (Swept{}) {
		t.Errorf("sweeping again: %+v, %v", swept, err)
	}
}

func TestCheck(t *testing.T) {
	w := newWorld(t)
	// Nobody else writes: what is pending was broken off.
	must(t, os.Remove(filepath.Join(w.library.Folder(), "writer.json")))
	report := w.check(t)
	damages, remarks := map[index.ID]string{}, 0
	for _, finding := range report.Findings {
		if finding.Remedy == "" {
			t.Errorf("no remedy: %+v", finding)
		}
		if finding.Damage {
			damages[finding.Records[0]] = finding.Message
		} else {
			remarks++
		}
	}
	// Killed before the commit, killed while written, of an earlier version, and acknowledged once.
	if remarks != 4 || len(damages) != 2 || !strings.Contains(damages[w.missing], "missing") || !strings.Contains(damages[w.moved], "missing") {
		t.Errorf("findings %+v", report.Findings)
	}
	if report.Files != 2 || report.Bytes == 0 {
		t.Errorf("%d files, %d bytes were read", report.Files, report.Bytes)
	}
	if _, err := Sweep(t.Context(), w.library, w.folder, quiet); err != nil {
		t.Fatal(err)
	}
	if report := w.check(t); len(report.Findings) != 1 || report.Findings[0].Records[0] != w.missing {
		t.Errorf("after sweeping: %+v", report.Findings)
	}
	must(t, os.WriteFile(w.left[0], []byte("other"), 0o600))
	if report := w.check(t); len(report.Findings) != 2 || !strings.Contains(report.Findings[0].Message+report.Findings[1].Message, "damaged") {
		t.Errorf("after a change: %+v", report.Findings)
	}
}

// TestCheckBesideAServer reads along while uploads are under way.
func TestCheckBesideAServer(t *testing.T) {
	library, folder := open(t)
	store := New(folder)
	reader, err := local.Open(t.Context(), library.Folder(), local.Options{ReadOnly: true})
	must(t, err)
	defer reader.Close()
	path := keep(t, store, "later than the reader")
	put(t, library, "later than the reader", path)
	keep(t, store, "under way")
	var report index.CheckReport
	must(t, Check(t.Context(), reader, folder, &report))
	if len(report.Findings) > 0 || report.Files != 1 {
		t.Errorf("%+v", report)
	}
}

// TestSweepLeavesADamagedLibrary sweeps nothing while records may yet come back.
func TestSweepLeavesADamagedLibrary(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	library, err := local.Open(t.Context(), folder, local.Options{})
	must(t, err)
	store := New(FolderOf(folder))
	path := keep(t, store, "one")
	put(t, library, "one", path)
	put(t, library, "two", filepath.Join(folder, "..", "two.jpg"))
	must(t, library.Close())
	log := filepath.Join(folder, "catalog", "00000001.log")
	data, err := os.ReadFile(log)
	must(t, err)
	at := bytes.Index(data, []byte("a name.jpg"))
	data[at] ^= 1
	must(t, os.WriteFile(log, data, 0o600))
	library, err = local.Open(t.Context(), folder, local.Options{})
	must(t, err)
	defer library.Close()
	if len(library.Findings()) == 0 {
		t.Fatal("the library is not damaged")
	}
	swept, err := Sweep(t.Context(), library, store.folder, quiet)
	if err != nil || swept != (Swept{}) || !exists(path) {
		t.Errorf("swept %+v, %v", swept, err)
	}
}
