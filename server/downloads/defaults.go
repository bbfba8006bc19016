package downloads

import "time"

const (
	// madeFor is how long a download can be begun, keptDownloads how many wait for it, and
	// keptRecords how many records they may be of, all together.
	madeFor       = 10 * time.Minute
	keptDownloads = 200
	keptRecords   = 2_000_000

	// writeTime is how long a part of the answer may take whatever its size; beyond that it
	// has to be taken at transport.BodyRate.
	writeTime = time.Minute

	// unreadName is the file in an archive that lists what could not be put there.
	unreadName = "not included.txt"

	// rowsAtOnce is how many records are read at a time.
	rowsAtOnce = 1000
)
