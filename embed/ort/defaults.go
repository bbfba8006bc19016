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

// spinMicroseconds is how long a thread waits for the next operator by spinning before it sleeps: longer than the small
// operators between two products take, and so short that runs that share the processor with others lose little. Without a
// bound a pair takes twice the processor time, and up to four times as long, beside other work.
const spinMicroseconds = "50"

// mostFused bounds the bytes of a graph's file that is read to fuse its products; weights lie in files of their own.
const mostFused = 64 << 20
