//go:build unix

package vfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSyncFolder: that a file system cannot sync folders is no failure, and that it failed to is.
func TestSyncFolder(t *testing.T) {
	folder := t.TempDir()
	must(t, SyncFolder(folder))
	if err := SyncFolder(filepath.Join(folder, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	for refusal, failed := range map[error]bool{
		nil: false, unix.EINVAL: false, unix.ENOTSUP: false, unix.ENOSYS: false, unix.EACCES: false,
		unix.EIO: true, unix.ENOSPC: true, unix.EDQUOT: true,
	} {
		err := refusal
		if err != nil {
			err = &fs.PathError{Op: "sync", Path: folder, Err: refusal}
		}
		if unlessRefused(err) != nil != failed {
			t.Errorf("%v: failed is %t", refusal, !failed)
		}
	}
	must(t, os.Chmod(folder, 0o300))
	must(t, SyncFolder(folder)) // root may read it all the same
}
