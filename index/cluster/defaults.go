package cluster

import "time"

const (
	// blockOfIDs is how many IDs a process takes at a time. Those that it does not use
	// are never used.
	blockOfIDs = 1024
	// maximumID is the largest ID: JSON's numbers hold no larger one exactly.
	maximumID = 1<<53 - 1
	// stateAge is how old what a process knows of the spaces and of the last change of
	// other processes may be.
	stateAge = time.Second

	// writeAttempts is how often a batch is planned again because another process changed
	// a record of it meanwhile.
	writeAttempts = 20
	// atOnce is how many objects are read or written at once for one request.
	atOnce = 32

	// overfetch times as many candidates as are wanted are asked of the engine, and
	// leastCandidates at least; each time that they were too few, widen times as many.
	overfetch, leastCandidates, widen = 4, 128, 4
	// queryRows is how many rows of a query the engine is asked about. More are merged.
	queryRows = 4
	// pageOfObjects is how many objects with their records one query of the engine gives.
	pageOfObjects = 500
	// vectorCacheBytes bounds the vectors that a process keeps in memory.
	vectorCacheBytes = 256 << 20
	// analysedCacheBytes bounds the terms of records that a process keeps in memory, and
	// remembered the records that a reader keeps of what it was asked.
	analysedCacheBytes, remembered = 64 << 20, 10_000
	// termCacheBytes bounds the counts of terms that a process remembers, for countsAge.
	termCacheBytes, countsAge = 4 << 20, 30 * time.Second

	// spellingCandidates is how many records are read for what a word may have been meant as.
	spellingCandidates = 300
)
