package uploads

// Bounds of the names that uploads come with, in bytes of UTF-8.
const (
	longestName   = 255
	longestFolder = 1024
	deepestFolder = 32
)
