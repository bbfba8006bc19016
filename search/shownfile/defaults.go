package shownfile

import "time"

// The files of the hits of a page are looked for on disk: so many at a time, for so
// long altogether. A drive that does not answer must not hold up the hits; what has
// not answered by then is taken to be there.
const (
	fileChecks       = 16
	fileCheckTimeout = 500 * time.Millisecond
)
