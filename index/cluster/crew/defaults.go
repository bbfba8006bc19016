package crew

import "time"

const (
	// heartbeat is how often a member writes its object and looks for others, and aliveFor how long one counts that has
	// not written its object since.
	heartbeat = 5 * time.Second
	aliveFor  = 6 * heartbeat
	// maximumMembers bounds the members that are known, and so the memory that a wrong store can take.
	maximumMembers = 10_000
)
