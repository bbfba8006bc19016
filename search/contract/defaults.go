package contract

import "time"

// The largest that a request may ask for. Each of its pictures is compared with every candidate.
const (
	MaximumPictures    = 16
	MaximumAsks        = 4
	MaximumLimit       = 1000
	MaximumSkipped     = 1_000_000
	MaximumRerankCount = 10_000
	MaximumBudget      = 10 * time.Minute
)
