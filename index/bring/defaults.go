package bring

// Bounds of what is taken over, and of what is kept in memory.
const (
	// MaximumItems is the most pictures that one source may speak of.
	MaximumItems = 5_000_000
	// MaximumValues is the most tags, albums or people of one picture.
	MaximumValues = 100
	// MaximumWord, MaximumTitle and MaximumDescription are the most bytes of a tag or name, a title and a description. They
	// and MaximumValues are what the HTTP API takes at least.
	MaximumWord        = 250
	MaximumTitle       = 1000
	MaximumDescription = 8000
	// listed is how many pictures of a kind a report names.
	listed = 1000
	// changesAtOnce is how many records one commit changes.
	changesAtOnce = 500
	// journalRuns is how many runs can be undone.
	journalRuns = 20
	// maximumJournalLine bounds one line of a journal.
	maximumJournalLine = 16 << 20
	// hashedEnd is how much of a file's beginning and end digiKam hashes.
	hashedEnd = 100 << 10
)
