package uploads

import "time"

// Bounds of the names that uploads come with, in bytes of UTF-8.
const (
	longestName   = 255
	longestFolder = 1024
	deepestFolder = 32
)

// sharedAttempts is how often a picture is added that another server removes meanwhile.
const sharedAttempts = 3

// discardTimeout bounds deleting the file of a picture that was refused.
const discardTimeout = time.Minute

// Bounds of one request with many pictures: of their number, and of their bytes together. One is in memory at a time.
const (
	batchImages = 100
	batchBytes  = 1 << 30
)
