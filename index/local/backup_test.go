package local

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/maintain"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
	"mekiki/internal/vfs/vfstest"
)

func backupOf(t *testing.T, library *Library) []byte {
	t.Helper()
	var archive bytes.Buffer
	indextest.Must(t, library.Backup(t.Context(), &archive))
	return archive.Bytes()
}

// meddling reads from an archive and does something once half of it is read.
type meddling struct {
	io.Reader
	after int
	do    func()
}

func (m *meddling) Read(p []byte) (int, error) {
	if m.after -= len(p); m.after < 0 && m.do != nil {
		m.do()
		m.do = nil
	}
	return m.Reader.Read(p[:min(len(p), 512)])
}

// TestRestoreKeepsOthersOut: nobody writes to a folder while a library is restored to
// it; a writer would take the vectors that are there for files that nothing points to.
func TestRestoreKeepsOthersOut(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	fill(t, library, 6)
	archive := backupOf(t, library)
	folder := filepath.Join(t.TempDir(), "library")
	source := &meddling{Reader: bytes.NewReader(archive), after: len(archive) - 2000, do: func() {
		second, err := Open(t.Context(), folder, Options{})
		if err == nil {
			indextest.Must(t, second.Close())
		}
		if !errors.Is(err, index.ErrLocked) {
			t.Errorf("a writer opened the folder: %v", err)
		}
	}}
	if err := maintain.Restore(t.Context(), source, folder); err != nil || source.do != nil {
		t.Fatal(err)
	}
	if diff := compareAnswers(answers(t, library), answers(t, openTest(t, folder, Options{}))); diff != "" {
		t.Errorf("restored library differs:\n%s", diff)
	}
}

// TestRestoreToAFullDisk names the remedy that helps.
func TestRestoreToAFullDisk(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	fill(t, library, 3)
	full := &vfstest.Faulty{Base: vfstest.NewMemory(), Fail: func(_ int64, operation vfstest.Operation) error {
		if operation.Verb == "write" {
			return syscall.ENOSPC
		}
		return nil
	}}
	err := maintain.RestoreTo(t.Context(), full, bytes.NewReader(backupOf(t, library)), "/library")
	if !diskspace.IsFull(err) || !strings.Contains(hint.Of(err), "room") {
		t.Errorf("%v: %q", err, hint.Of(err))
	}
}

// TestOpenOnAFullDisk names the remedy too.
func TestOpenOnAFullDisk(t *testing.T) {
	files := vfstest.NewMemory()
	indextest.Must(t, openMemory(t, files).Close())
	full := &vfstest.Faulty{Base: files, Fail: func(_ int64, operation vfstest.Operation) error {
		if operation.Verb == "write" {
			return syscall.ENOSPC
		}
		return nil
	}}
	_, err := Open(t.Context(), "/library", Options{FileSystem: full})
	if !diskspace.IsFull(err) || !strings.Contains(hint.Of(err), "room") {
		t.Errorf("%v: %q", err, hint.Of(err))
	}
}

// TestBackupToAFullDisk gives the disk's error and no other.
func TestBackupToAFullDisk(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	fill(t, library, 3)
	err := library.Backup(t.Context(), fullWriter{})
	if !diskspace.IsFull(err) || errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(hint.Of(err), "room") {
		t.Errorf("%v: %q", err, hint.Of(err))
	}
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/backup.tar", Err: syscall.ENOSPC}
}

// TestBackupOfDamage names the remedy.
func TestBackupOfDamage(t *testing.T) {
	files := vfstest.NewMemory()
	library := openMemory(t, files)
	fill(t, library, 3)
	indextest.Must(t, library.Close())
	damaged := without(files.Files(), func(name string) bool { return strings.Contains(name, "tokens-") })
	err := openMemory(t, damaged).Backup(t.Context(), io.Discard)
	if !errors.Is(err, index.ErrDamaged) || !strings.Contains(hint.Of(err), "check --repair") {
		t.Errorf("%v: %q", err, hint.Of(err))
	}
}

// TestBackupHoldsLittle: the catalog goes to the archive as it is written, and not
// to memory first: that of a million records is as long as they are.
func TestBackupHoldsLittle(t *testing.T) {
	library := openMemory(t, vfstest.NewMemory())
	fill(t, library, 4)
	var batch index.Batch
	const failures, length = 200, 100_000
	for number := range uint64(failures) {
		batch.Failures = append(batch.Failures, index.Failure{File: indextest.File(number), Reason: strings.Repeat("x", length)})
	}
	mustWrite(t, library, batch)
	batch = index.Batch{}
	measured := &heapWriter{}
	measured.before = heapInUse()
	indextest.Must(t, library.Backup(t.Context(), measured))
	if measured.written < failures*length || measured.held > failures*length/2 {
		t.Errorf("%d bytes written; %d held in memory for them", measured.written, measured.held)
	}
	target := t.TempDir()
	indextest.Must(t, maintain.Restore(t.Context(), bytes.NewReader(backupOf(t, library)), target))
	if diff := compareAnswers(answers(t, library), answers(t, openTest(t, target, Options{}))); diff != "" {
		t.Errorf("restored library differs:\n%s", diff[:min(len(diff), 2000)])
	}
}

func heapInUse() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// heapWriter notes how much more memory is in use once it has got a megabyte.
type heapWriter struct{ before, written, held int64 }

func (w *heapWriter) Write(p []byte) (int, error) {
	first := w.written < 1<<20
	w.written += int64(len(p))
	if first && w.written >= 1<<20 {
		w.held = heapInUse() - w.before
	}
	return len(p), nil
}
