package maintain

import "time"

const (
	// batchRecords is how many records are read, and put into the engine, at once.
	batchRecords = 200
	// importRecords is how many records of another library are brought in at once.
	importRecords = 64
	// longestWrite is longer than a write of another process takes: what was written so long
	// before a rebuild began was put into the engine by its writer, or never.
	longestWrite = 3 * time.Minute
	// readersLeave is how long readers may go on with a collection that serves no more.
	readersLeave = 5 * time.Second
	// leftoverAge is how old an object that no record names has to be before it is called left over.
	leftoverAge = 24 * time.Hour
	// pageOfObjects is how many objects the engine lists at once.
	pageOfObjects = 1000
	// shownIDs is how many IDs of each kind a report names.
	shownIDs = 100
)
