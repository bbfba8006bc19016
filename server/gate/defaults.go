package gate

import "time"

// The least time after which a queue that never empties is overload rather than a
// burst, and the least that a request waits.
const (
	minBurst        = 100 * time.Millisecond
	minQueueTimeout = 5 * time.Millisecond
)
