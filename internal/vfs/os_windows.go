//go:build windows

package vfs

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// syncDir does nothing: NTFS journals names by itself, and folders cannot be
// flushed without special rights.
func syncDir(string) error { return nil }

// lock uses LockFileEx on a byte far beyond the file's end, so that others can
// still read who holds it; Windows gives it back when the process ends.
func lock(name string) (io.Closer, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	where := &windows.Overlapped{Offset: 0, OffsetHigh: 1 << 30}
	flags := uint32(windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY)
	err = windows.LockFileEx(windows.Handle(file.Fd()), flags, 0, 1, 0, where)
	if err == nil {
		return file, nil
	}
	file.Close()
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return nil, ErrLocked
	}
	return nil, &os.PathError{Op: "lock", Path: name, Err: err}
}
