//go:build !unix

package language

import "time"

// processorTime is not known on this system.
func processorTime() time.Duration { return 0 }

// peakMemory is not known on this system.
func peakMemory() int64 { return 0 }
