//go:build !linux && !darwin && !windows

package hub

import "math"

// freeSpace cannot tell on this system; a full disk then shows when writing.
func freeSpace(string) (int64, error) { return math.MaxInt64, nil }
