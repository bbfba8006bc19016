package lists

const (
	// chunkPostings is how many documents of a list bleve's files have in a chunk, at most.
	chunkPostings = 1024
	// BlockDocuments is how many documents one after the other are passed by together where none of them can be among the best.
	BlockDocuments = 1024
	// leastUnpacked is how many documents a list has that is unpacked, and leastShare which share of its segment's, one of so
	// many: others are gone through soon enough.
	leastUnpacked, leastShare = 256, 64
	// longerUnpacked is how many times as long as those that are gone through a list may be that is unpacked for their documents:
	// about half as many of its documents are read to get to one in a chunk, at several times the cost.
	longerUnpacked = 1024
	// mostUnpacked is how many bytes unpacked lists take together, four for each document: those of 16 words that a million have.
	mostUnpacked = 64 << 20
	// singly is how many documents of a block are added up in the time in which one is looked for in one list.
	singly = 8
	// rememberedScores is how many scores of a list are remembered by how often and in how long a field a document has its term.
	rememberedScores = 32
)
