//go:build unix

package vfs

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Inode is the file's number, or zero where there is none.
func Inode(stat fs.FileInfo) uint64 {
	if system, ok := stat.Sys().(*syscall.Stat_t); ok {
		return uint64(system.Ino)
	}
	return 0
}

func openToRead(name string, follow bool) (*os.File, error) {
	flags := os.O_RDONLY | unix.O_NONBLOCK
	if !follow {
		flags |= unix.O_NOFOLLOW
	}
	file, err := os.OpenFile(name, flags, 0)
	if err == nil || follow {
		return file, err
	}
	// Systems name different errors for it: ELOOP, EMLINK, EFTYPE.
	if stat, statErr := os.Lstat(name); statErr == nil && stat.Mode()&fs.ModeSymlink != 0 {
		return nil, fmt.Errorf("open %s: it %w", name, ErrLink)
	}
	return nil, err
}
