//go:build unix

package ingest

import (
	"io/fs"
	"syscall"
)

func inodeOf(stat fs.FileInfo) uint64 {
	if system, ok := stat.Sys().(*syscall.Stat_t); ok {
		return uint64(system.Ino)
	}
	return 0
}
