//go:build !unix

package ingest

import (
	"io/fs"
	"os"
	"syscall"
)

func inodeOf(fs.FileInfo) uint64 { return 0 }

// errNotFolder is the system's error for a path through a file, where it has one.
const errNotFolder = syscall.ENOTDIR

// deviceNumber gives the number of the device that a file is on: there is none.
func deviceNumber(fs.FileInfo) (uint64, bool) { return 0, false }

func openToRead(path string) (*os.File, error) { return os.Open(path) }
