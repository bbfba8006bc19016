package jobs

import "time"

// progressPause is the least time between two events of one stream.
const progressPause = 200 * time.Millisecond
