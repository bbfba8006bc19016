package uploads

import "time"

// Bounds of the names that uploads come with, in bytes of UTF-8.
const (
	longestName   = 255
	longestFolder = 1024
	deepestFolder = 32
)

// settleTimeout bounds how long it is looked whether a record names a file that was just kept.
const settleTimeout = 2 * time.Minute

// Bounds of one request with many pictures: of their number, and of their bytes together. One is in memory at a time.
const (
	batchImages = 100
	batchBytes  = 1 << 30
)
