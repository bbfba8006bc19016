//go:build unix

package drives

import (
	"io/fs"
	"os"
	"syscall"
)

// errNotFolder is the system's error for a path through a file.
const errNotFolder = syscall.ENOTDIR

// deviceNumber gives the number of the device that a file is on.
func deviceNumber(stat fs.FileInfo) (uint64, bool) {
	system, ok := stat.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(system.Dev), true
}

// OpenToRead opens a file. It does not wait for the other end of what turns
// out to be a pipe.
func OpenToRead(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}
