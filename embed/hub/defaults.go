package hub

import "time"

// maximumToken bounds the file that holds a token.
const maximumToken = 4 << 10

// reportInterval is how often progress is told within a stage.
const reportInterval = 100 * time.Millisecond

const (
	// maximumListing bounds the hub's answer about a repository.
	maximumListing = 32 << 20
	// maximumFile bounds what a server may claim a file to take.
	maximumFile = 1 << 40
)

// maximumRecord bounds our own small files when they are read back.
const maximumRecord = 1 << 20

// maximumRedirects is how often a download is sent elsewhere.
const maximumRedirects = 10
