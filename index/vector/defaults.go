package vector

// The size of an index.
const (
	// ApproximateFrom is the number of vectors from which an Automatic index searches
	// approximately: below, scanning all of them takes a few milliseconds.
	ApproximateFrom = 320_000
	// ListsFrom is the number of vectors from which it does so by inverted lists: a graph of so many
	// takes several times as long to build, and its nodes have to be in memory, where lists are read from a file.
	ListsFrom = 10_000_000
	// chunkBytes is the size of a chunk's codes: what the second-level cache holds
	// while several queries go over it.
	chunkBytes = 256 << 10
	// fewTombstones is the number of removed entries that are not worth a rebuild.
	fewTombstones = 1024
)

// How inverted lists are built.
const (
	// A list has listLength postings at most when built, or more if there would be
	// more than maxLists, and splits when it is listGrowth times as long as that.
	listLength = 128
	maxLists   = 16384
	listGrowth = 2.5
	// buildRounds is how often all postings move to the nearest centroid, and the
	// centroids then to the mean of their postings (Lloyd's iteration).
	buildRounds = 1
	// cellProbes is how many cells of the coarse quantizer are probed for the nearest
	// centroid.
	cellProbes = 12
	// splitSample is how many postings the centroids of a split are fitted to, in
	// splitRounds.
	splitSample = 512
	splitRounds = 4
)

// How much an approximate search for k groups does at Effort 1, at most, and when it
// stops before. BenchmarkRecall measures the recall that it gives.
const (
	// scanBase, scanPerResult and scanShare say how many postings are scanned: so
	// many, and so many for each of the k, and this share of all.
	scanBase, scanPerResult, scanShare = 80_000, 2000, 0.01
	// scanEarlyStop is the share of that after which the scan stops if none of the
	// postings was among the best marginBase + marginPerResult * k.
	scanEarlyStop               = 0.2
	marginBase, marginPerResult = 20, 2
	// scoreBase and scorePerResult say how many groups are scored by the codes of
	// all their vectors: so many, and so many for each of the k.
	scoreBase, scorePerResult = 512, 48
)

// How a graph is built and searched.
const (
	// graphRepresentatives is the most representatives of a block of rows.
	graphRepresentatives = 4
	// graphCluster is about how many nodes near each other have consecutive numbers.
	graphCluster = 64
	// A graph of fewer nodes for each of the k is scanned: a walk would come to many of
	// them, each from elsewhere in memory.
	scanNodesPerResult = 5000
	// gatherCost is how much longer it takes to score a node that is not read with those before it.
	gatherCost = 2
	// A walk of more steps than fewestSteps and one for every walkShare nodes gives way to a
	// scan, which then takes no longer than the walk did.
	fewestSteps, walkShare = 500, 64
)

// coderBase and coderPerResult say how many nodes github.com/coder/hnsw is asked for.
const coderBase, coderPerResult = 100, 10

// How much a search does at once where it reads codes or vectors of many groups.
const (
	// oneByOne is how many groups one goroutine reads, at least, before another one helps.
	oneByOne = 8
	// consideredAtOnce and scoredAtOnce are how many groups are scored by codes, and exactly, before it is looked at whether the
	// next ones are needed.
	consideredAtOnce, scoredAtOnce = 64, 32
)

// When an approximate search stops scoring what is proposed, see scorer.
const (
	// gapSpread is for Effort 1, and grows by gapSpreadPerDoubling with every doubling.
	gapSpread, gapSpreadPerDoubling = 5, 1
	// fewestGaps is how many entries are scored in any case.
	fewestGaps = 20
	// So many entries in a row are hopeless before the scorer stops: so many, and so
	// many for each of the k.
	patienceBase, patiencePerResult = 50, 1
)

// When a filter makes an exact search as fast as an approximate one.
const (
	// filterSample is how many groups a filter is tried on at most. Of a million, each stands for 500: few enough
	// to tell whether exactSavedRows pass.
	filterSample = 2048
	// exactRows is the number of rows that pass the filter below which they are all
	// scanned.
	exactRows = 500_000
	// exactSavedRows is the same for codes in a file, each of which takes several times as
	// long to read as to score.
	exactSavedRows = 24_000
	// exactShare is the share of all groups that k must be for the same, as a divisor.
	exactShare = 16
)

// maximumWidth is the widest vector for which no sum can overflow:
// 255 * 127 * 65,536 < 2^31.
const maximumWidth = 65536

// largestValue keeps the dot product of the widest vectors within float32. Values
// of unit vectors are at most 1.
const largestValue = 1e15
