// Package diskspace says how much room a disk has left.
package diskspace

import (
	"fmt"
	"math"

	"golang.org/x/sys/windows"
)

// Free returns the bytes that the user may still write below a folder that exists.
func Free(dir string) (int64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil {
		return 0, fmt.Errorf("find the free space of %s: %w", dir, err)
	}
	return int64(min(free, math.MaxInt64)), nil
}
