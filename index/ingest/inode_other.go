//go:build !unix

package ingest

import (
	"io/fs"
	"os"
)

func inodeOf(fs.FileInfo) uint64 { return 0 }

func openToRead(path string) (*os.File, error) { return os.Open(path) }
