package immich

import "time"

const (
	// pageSize is the most that a server gives at once, and maximumPages how often it is asked for one search.
	pageSize     = 1000
	maximumPages = 10_000
	// maximumAnswer bounds the bytes of an answer, and requestTime what it may take.
	maximumAnswer = 64 << 20
	requestTime   = 2 * time.Minute
	// maximumNames is the most tags, and albums.
	maximumNames = 100_000
)
