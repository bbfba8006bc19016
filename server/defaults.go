package server

import "time"

// DefaultAddress is where a server listens.
const DefaultAddress = "127.0.0.1:8080"

// DefaultUploadMiB and DefaultUploadMegapixels bound an uploaded image.
const (
	DefaultUploadMiB        = 32
	DefaultUploadMegapixels = 64
)

// The other limits, where [Limits] leaves them open.
const (
	defaultBodyBytes    = 1 << 20
	defaultQueueTimeout = 2 * time.Second
	defaultUploads      = 8
	defaultReads        = 256
	defaultStreams      = 64
	defaultReadTime     = 10 * time.Second
	defaultSearchTime   = 30 * time.Second
	defaultUploadTime   = 120 * time.Second
	defaultShutdownTime = 10 * time.Second
	defaultJobs         = 16
)

// renditionQueue is how many larger pictures may wait until they are made.
const renditionQueue = 64

// Bounds of every connection, whatever it asks for.
const (
	headerTime     = 5 * time.Second
	idleTime       = 2 * time.Minute
	connectionTime = 3 * time.Minute // of one request, in each direction; streams move it
)

// handlerTick is how often those at work are counted while the server waits for them.
const handlerTick = 5 * time.Millisecond

// corsAge is for how many seconds browsers may keep what a page of an allowed origin may do.
const corsAge = 600

// webhookPaths is how many paths of a job webhooks are told of.
const webhookPaths = 10

// wordsInterval is how often a server that reads the words in pictures looks for some that were not read.
const wordsInterval = 5 * time.Second
