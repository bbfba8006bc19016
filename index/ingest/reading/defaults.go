package reading

import "time"

const (
	// batchSize is the number of pictures in one commit, and batchTime after which time the next one is made earlier.
	batchSize = 32
	batchTime = 10 * time.Second
)
