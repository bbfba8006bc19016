package remote

import "time"

const (
	// requestTime bounds one request; jobs are asked after again and again.
	requestTime = 30 * time.Second
	// pollInterval is the time between two questions after a job.
	pollInterval = 250 * time.Millisecond
	// cancelTime is how long a job that was cancelled may take to end: what is at work is finished and written first.
	cancelTime = 2 * time.Minute
	// maximumAnswer is the most bytes that are read of an answer.
	maximumAnswer = 64 << 20
)
