//go:build unix

package local

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/content"
	"mekiki/index/indextest"
)

// TestOriginalThatBecameAPipe holds that a file which somebody replaced by a
// pipe is refused and not waited for.
func TestOriginalThatBecameAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "picture.jpg")
	indextest.Must(t, syscall.Mkfifo(path, 0o600))
	opened := make(chan error, 1)
	go func() {
		_, err := content.OpenFile(&index.Record{}, index.File{Path: path})
		opened <- err
	}()
	select {
	case err := <-opened:
		if err == nil {
			t.Error("a pipe was opened")
		}
	case <-time.After(10 * time.Second):
		t.Error("opening a pipe waits for a writer")
		if writer, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
			_ = writer.Close()
		}
	}
}

// TestLibraryIsPrivate holds that other users of the machine cannot look in.
func TestLibraryIsPrivate(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	indextest.Must(t, openTest(t, folder, Options{}).Close())
	stat, err := os.Stat(folder)
	indextest.Must(t, err)
	if mode := stat.Mode().Perm(); mode != 0o700 {
		t.Errorf("the library's folder has the mode %o", mode)
	}
}
