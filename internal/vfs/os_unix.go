//go:build unix

package vfs

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

func syncFolder(name string) error {
	folder, err := os.Open(name)
	if errors.Is(err, fs.ErrPermission) {
		return nil // one may write names into a folder and not read it
	}
	if err != nil {
		return err
	}
	return errors.Join(unlessRefused(folder.Sync()), folder.Close())
}

// unlessRefused gives an error of syncing a folder, but for those by which file systems say that they have no
// such thing: those of networks and of programs, and such as are not Unix's own.
func unlessRefused(err error) error {
	for _, refusal := range []error{unix.EINVAL, unix.ENOTSUP, unix.ENOSYS, unix.EBADF, unix.EPERM, unix.EACCES, unix.EROFS} {
		if errors.Is(err, refusal) {
			return nil
		}
	}
	return err
}
