package queries

import "time"

// overlaySide is the side in pixels of a map that is laid over a picture.
const overlaySide = 256

// runsPause is the least time between two events of how far a map is.
const runsPause = 200 * time.Millisecond

// batchTime bounds the searches of a batch together; those that it does not reach are answered with a problem.
const batchTime = 90 * time.Second
