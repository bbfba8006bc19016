//go:build !unix

package vfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Inode is the file's number, or zero where there is none.
func Inode(fs.FileInfo) uint64 { return 0 }

// openToRead looks at the name before it opens it, and makes sure that both were
// about one file.
func openToRead(name string, follow bool) (*os.File, error) {
	before, err := os.Lstat(name)
	if err == nil && before.Mode()&fs.ModeSymlink != 0 {
		if !follow {
			return nil, fmt.Errorf("open %s: it %w", name, ErrLink)
		}
		before, err = os.Stat(name)
	}
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file: %w", name, fs.ErrInvalid)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	after, err := file.Stat()
	if err == nil && !follow && !os.SameFile(before, after) {
		err = fmt.Errorf("open %s: it was replaced meanwhile", name)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
