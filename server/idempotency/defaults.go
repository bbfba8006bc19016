package idempotency

import "time"

// What is kept, and for how long: answers of a size, so many for each caller and for all, and so much of all together.
const (
	keptFor      = 24 * time.Hour
	callerKeys   = 1_000
	allKeys      = 10_000
	answerBytes  = 256 << 10
	allBytes     = 16 << 20
	longestKey   = 255
	runningRetry = 1 // seconds
)
