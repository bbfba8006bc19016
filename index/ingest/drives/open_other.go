//go:build !unix

package drives

import (
	"io/fs"
	"os"
	"syscall"
)

// errNotFolder is the system's error for a path through a file, where it has one.
const errNotFolder = syscall.ENOTDIR

// deviceNumber gives the number of the device that a file is on: there is none.
func deviceNumber(fs.FileInfo) (uint64, bool) { return 0, false }

// OpenToRead opens a file without waiting for what is no file of bytes, such as a pipe.
func OpenToRead(path string) (*os.File, error) { return os.Open(path) }
