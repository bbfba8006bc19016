package priority

import "time"

const (
	// longestWait is how long one piece of background work waits at most, so that a busy server still fills its library.
	longestWait = 2 * time.Second
	// longestStepWait is how long a token of an answer waits at most for searches, so that a busy server still answers.
	longestStepWait = 100 * time.Millisecond
)
