package jobs

import "time"

// progressPause is the least time between two events of one stream.
const progressPause = 200 * time.Millisecond

// maxKept is how many finished jobs are remembered, maxResult the most bytes of what one gave, and shownPaths how many
// paths of a job that reads files again are named, and shownReasons how many reasons are counted.
const (
	maxKept      = 100
	maxResult    = 256 << 10
	shownPaths   = 100
	shownReasons = 100
)
