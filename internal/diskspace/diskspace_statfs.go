//go:build linux || darwin

// Package diskspace says how much room a disk has left.
package diskspace

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// Free returns the bytes that an ordinary user may still write below a folder that exists.
func Free(dir string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, fmt.Errorf("find the free space of %s: %w", dir, err)
	}
	blocks, size := uint64(stat.Bavail), uint64(stat.Bsize)
	if size != 0 && blocks > math.MaxInt64/size {
		return math.MaxInt64, nil
	}
	return int64(blocks * size), nil
}
