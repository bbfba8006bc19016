package recall

import "time"

const (
	// recordBytes, vectorBytes and termBytes bound the records, the vectors and the terms of
	// records that a process keeps in memory: of 2 KB, of 32 KB for 32 parts of 256, and of 2 KB each.
	recordBytes, vectorBytes, termBytes = 64 << 20, 256 << 20, 64 << 20
	// countBytes bounds the counts of terms that a process remembers, for countsAge.
	countBytes, countsAge = 4 << 20, 5 * time.Minute
	// atOnce is how many objects of the store are read at once for one question.
	atOnce = 64
	// pageOfRecords is how many records one query of the engine gives.
	pageOfRecords = 500
)
