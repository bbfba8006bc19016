package transport

import "time"

// minCompressed is the size below which compressing gains nothing, and gzipLevel how hard gzip tries, from 1 to 9.
const (
	minCompressed = 1024
	gzipLevel     = 4
)

// maximumRanges is how many parts of a file one request may ask for: each costs a header of its own.
const maximumRanges = 16

// MaxHeaderBytes bounds the headers of a request.
const MaxHeaderBytes = 16 << 10

const (
	// eventTimeout is how long a client may take to receive one event.
	eventTimeout = 30 * time.Second
	// EventPulse is how often a quiet stream says that it is alive.
	EventPulse = 15 * time.Second
)

// settleTime is how long such a body may take for the connection to stay open: what was sent along is there already.
const settleTime = 50 * time.Millisecond

// partTime is how long the answer to a body in parts may still take once a part has been worked on: as long as to any
// other request.
const partTime = 3 * time.Minute
