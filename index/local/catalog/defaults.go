package catalog

// maximumOffset bounds, in seconds, how far a clock may be from UTC: a day.
const maximumOffset = 24 * 60 * 60

// maxIDGap bounds how far an ID may lie beyond those known, and maximumID how far
// at all: IDs index tables, so a wrong one must not ask for the memory of all
// between. A record added in every second of 68 years comes to the maximum.
const (
	maxIDGap  = 1 << 24
	MaximumID = 1<<31 - 1
)

const (
	// decodedTogether is how many records at least one processor decodes of a frame.
	decodedTogether = 64
	// recordSlab is how many records get their memory at once. It stays as long as one of them does.
	recordSlab = 32
)
