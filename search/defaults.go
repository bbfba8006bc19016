package search

import "time"

// What a request gets that does not say otherwise: how many of the best candidates ITM
// reads, as BLIP-2's authors do (section 4.4 of the paper), and for how long.
const (
	DefaultRerankCount  = 128
	DefaultRerankBudget = time.Second
)

// The largest that a request may ask for.
const (
	maximumLimit       = 1000
	maximumOffset      = 1_000_000
	maximumRerankCount = 10_000
	maximumBudget      = 10 * time.Minute
)

// The defaults of [Options].
const (
	defaultWindow          = 1000 // candidates of each leg
	defaultFirstWindow     = 256  // and for the first page
	defaultRerankBatch     = 8
	defaultMatchEntries    = 1 << 16
	defaultRankingEntries  = 32
	defaultTokenCacheBytes = 128 << 20
)

// How words count.
const (
	// wordHalf is the BM25 score of a word that counts half in convex fusion.
	wordHalf = 4

	// namedFolders is how many folders above a file count as its name. What stands
	// higher says less about one picture, the less the higher it is, since it holds more
	// of a library: a word of it counts as a part of a word, by folderFall less for each
	// folder above, and at least leastFolder.
	namedFolders = 2
	folderFall   = 0.1
	leastFolder  = 0.6

	// generationWorth is what a word counts that somebody gave a program to make the
	// picture from: it tells what was wanted, not what came.
	generationWorth = 0.8
)
