package vfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrLink is the error of [OpenRegular] for a name that is a symbolic link.
var ErrLink = errors.New("is a link")

// OpenRegular opens a regular file of the operating system for reading, and gives
// what it is: all that follows is about the file that was opened, whatever its
// name means by then. Unless links are to be followed, the last element of the
// name must be none: the error is then [ErrLink]. It never waits, as opening a
// pipe would.
func OpenRegular(name string, follow bool) (*os.File, fs.FileInfo, error) {
	file, err := openToRead(name, follow)
	if err != nil {
		return nil, nil, err
	}
	stat, err := file.Stat()
	if err == nil && !stat.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file: %w", name, fs.ErrInvalid)
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, stat, nil
}
