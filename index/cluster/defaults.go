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
	// flushTime is how long a write that has begun goes on when its context has ended.
	flushTime = 10 * time.Second
	// atOnce is how many objects are read or written at once for one request.
	atOnce = 32

	// One overfetch-th more candidates than are wanted are asked of the engine, and
	// leastCandidates at least; each time that they were too few, widen times as many.
	overfetch, leastCandidates, widen = 4, 128, 4
	// queryRows is how many rows of a query the engine is asked about. More are merged.
	queryRows = 4
	// pageOfObjects is how many objects with their records one query of the engine gives.
	pageOfObjects = 500
	// remembered bounds the records that a reader keeps of what it was asked.
	remembered = 10_000
	// totalsAge is how long counts of the library hold where nobody announces a change.
	totalsAge = 5 * time.Second

	// spellingCandidates is how many records are read for what a word may have been meant as.
	spellingCandidates = 300
)
