//go:build unix

// Package usage tells what this process has used of the machine, for benchmarks
// and measurements.
package usage

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// ProcessorTime is what this process has used so far, all threads together; 0 where
// the system does not tell.
func ProcessorTime() time.Duration {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// PeakMemory is the most memory, in bytes, that this process held at once so far; 0
// where the system does not tell.
func PeakMemory() int64 {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(used.Maxrss) // bytes there, kilobytes elsewhere
	}
	return int64(used.Maxrss) << 10
}
