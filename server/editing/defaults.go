package editing

import "time"

const (
	// undoFor is how long a change can be undone, keptUndos how many are kept, and
	// keptRecords how many records they may be of, all together.
	undoFor     = time.Hour
	keptUndos   = 100
	keptRecords = 1_000_000

	// trashDelay and trashInterval say when the trash is looked through for what has been
	// there long enough: after the start, and from then on.
	trashDelay    = time.Minute
	trashInterval = time.Hour
)

// BodyBytes bounds the body of a request that names many records.
const BodyBytes = 4 << 20

// Bounds of one request to delete records, and how many of them its answer shows. Removing one for good may delete its
// file, and so takes longer.
const (
	maximumTrashed = 100_000
	maximumRemoved = 10_000
	sampleSize     = 10
)
