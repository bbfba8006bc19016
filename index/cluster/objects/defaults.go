package objects

import "time"

// blockSize is how many bytes of an object share one checksum: what a read of a few bytes costs at least.
const blockSize = 64 << 10

// MaximumObject bounds the data of one object, and so the memory that reading it takes.
const MaximumObject = 256 << 20

// maximumKey bounds a key; S3 has 1,024 bytes, of which the prefix of the settings takes some.
const maximumKey = 800

// Attempts at one call, and the pauses between them: random, up to a bound that doubles from the shortest to the longest.
const (
	maximumAttempts = 6
	shortestPause   = 100 * time.Millisecond
	longestPause    = 2 * time.Second
)

// Bounds of waiting for the store: for a connection, and for the next bytes or the answer.
const (
	connectTimeout = 5 * time.Second
	stallTimeout   = 20 * time.Second
)

// maximumConnections is how many connections are kept open for later calls.
const maximumConnections = 64

// deleteBatch is how many objects one call deletes: what S3 takes.
const deleteBatch = 1000

// listPage is how many objects one page of a list has: what S3 gives at most.
const listPage = 1000

// maximumCertificates bounds a file of certificates.
const maximumCertificates = 4 << 20

// damagedAttempts is how often what arrives damaged is read, before it is taken for damaged in the store.
const damagedAttempts = 3

// Bounds of what is read of an error, and of a list: a key has 1,024 bytes at most, and takes up to three times that in XML.
const (
	maximumErrorText = 64 << 10
	maximumList      = 16 << 20
)

// Bounds of looking at a store, which somebody waits for.
const (
	examineTimeout  = 30 * time.Second
	examineAttempts = 2
	examineStall    = 5 * time.Second
)

// tolerableSkew is how far clocks may be apart before it is worth a word.
const tolerableSkew = time.Minute
