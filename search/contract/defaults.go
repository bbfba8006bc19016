package contract

import "time"

// The largest that a request may ask for.
const (
	MaximumAsks        = 4
	MaximumLimit       = 1000
	MaximumSkipped     = 1_000_000
	MaximumRerankCount = 10_000
	MaximumBudget      = 10 * time.Minute
)
