package hnsw

// How nodes are linked.
const (
	// chosenLinks is how many neighbours a new node is linked to; with those that are
	// linked to it later, a node has up to maxLinks.
	chosenLinks = 16
	maxLinks    = 32
	// construction is how many candidates neighbours are chosen from.
	construction = 100
	// A batch has one node for every batchShare that are linked, at most batchMost.
	batchShare = 32
	batchMost  = 4096
)

// How nodes are stored.
const (
	// A page holds the links of pageNodes nodes: 2 KB are copied when one of them
	// changes that a view has.
	pageNodes = 16
	// slabPages is how many pages are allocated at once.
	slabPages = 64
	// blockRows is how many rows of codes are allocated at once.
	blockRows = 1024
)

// stepsPerCheck is the number of nodes that a walk goes on from between two looks at the
// context.
const stepsPerCheck = 128
