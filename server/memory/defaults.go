package memory

import "time"

const (
	// Tick is how often the memory is looked at.
	Tick = 10 * time.Second
	// headroom is about how many bytes of garbage a large heap may have before it is collected,
	// and leastPercent the smallest share of what is in use that this comes to, lest collecting
	// takes too long. Left to itself the runtime lets garbage grow as large as what is in use:
	// a million pictures would take twice their two gigabytes.
	headroom     = 512 << 20
	leastPercent = 20
	// slack is by how many bytes it may have grown since it was last given back.
	slack = 64 << 20
)
