//go:build !unix

package bench

import "time"

func processorTime() time.Duration { return 0 }

func resetPeak() {}

func peak() int64 { return 0 }
