package bytepair

import "mekiki/embed/tokenize"

// Bounds on a vocabulary. The largest in use have 256,000 tokens and 580,000
// merges.
const (
	maximumTokens = tokenize.MaximumTokens
	maximumMerges = 1 << 20
)

// shortWord is the longest word, in symbols, that is merged by looking through
// all its pairs at every step; a longer one is merged with a heap.
const shortWord = 24

// largestScratch is the longest word, in symbols, whose memory is kept for the
// next.
const largestScratch = 1 << 16
