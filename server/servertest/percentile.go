package servertest

import (
	"slices"
	"time"
)

// Percentile gives the duration that a share of durations stays within, and sorts them; 0 of none.
func Percentile(durations []time.Duration, share float64) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	slices.Sort(durations)
	return durations[min(len(durations)-1, int(share*float64(len(durations))))]
}
