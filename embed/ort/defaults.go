package ort

import "time"

// Patience with the server of the releases, before npm is tried instead.
const (
	connectTimeout = 10 * time.Second
	answerTimeout  = 20 * time.Second
	stallTimeout   = 30 * time.Second
)

const (
	// maximumArchive bounds a downloaded archive in bytes; the largest pinned one has 113 MB.
	maximumArchive = 256 << 20
	// maximumLibrary bounds the extracted library in bytes; the largest pinned one has 46 MB.
	maximumLibrary = 192 << 20
)
