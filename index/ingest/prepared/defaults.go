package prepared

// The names of a collection's files, and what they may hold at most.
const (
	indexName    = "index.json"
	vectorsName  = "index.vectors"
	maximumItems = 1 << 16
	maximumWidth = 1 << 12
	maximumParts = 1 << 8
	largestCode  = 127
)
