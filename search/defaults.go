package search

import "time"

// What a request gets that does not say otherwise: how many of the best candidates ITM
// reads, as BLIP-2's authors do (section 4.4 of the paper), and for how long.
const (
	DefaultRerankCount  = 128
	DefaultRerankBudget = time.Second
)

// What a request with questions gets that does not say otherwise: how many of the best hits
// are asked, and for how long.
const (
	DefaultAskCount  = 20
	DefaultAskBudget = 10 * time.Second
)

// partialInterval is how often answers that are still coming are sent on.
const partialInterval = 200 * time.Millisecond

// The defaults of [Options].
const (
	defaultWindow          = 1000   // candidates of each leg
	defaultFirstWindow     = 128    // and for the first page, unless twice as many as are reranked is more
	defaultLastWindow      = 16_000 // and for the last one that somebody can read on to
	defaultRerankBatch     = 8
	defaultMatchEntries    = 1 << 16
	defaultRankingEntries  = 32
	defaultTokenCacheBytes = 128 << 20
)

// windowGrowth is how many times as wide the window gets when somebody reads on to its end.
const windowGrowth = 4

// keptCounts is how many requests' hits stay counted: somebody opens one folder after the other, and
// counting 100,000 records takes a tenth of a second.
const keptCounts = 8

// wordHalf is the BM25 score of a word that counts half in convex fusion.
const wordHalf = 4

// pictureWindow is the number of candidates that a picture proposes: each is
// compared part by part, which costs more than a cosine.
const pictureWindow = 256
