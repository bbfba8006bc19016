//go:build !unix

// Package usage tells what this process has used of the machine, for benchmarks
// and measurements.
package usage

import "time"

// ProcessorTime is not known on this system.
func ProcessorTime() time.Duration { return 0 }

// PeakMemory is not known on this system.
func PeakMemory() int64 { return 0 }
