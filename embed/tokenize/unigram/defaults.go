package unigram

import "mekiki/embed/tokenize"

// Bounds on a vocabulary. The largest in use have 256,000 pieces of 2 MB
// together, the longest of 256 bytes.
const (
	maximumPieces     = tokenize.MaximumTokens
	maximumPieceBytes = 512
	maximumBytes      = 8 << 20
)

// unknownPenalty is how much less likely than the least likely piece a character
// is that the vocabulary lacks. It is SentencePiece's.
const unknownPenalty = 10

// maximumScore bounds the logarithms, so that sums of them are exact enough to be
// compared whatever the file says.
const maximumScore = 1e9

// largestScratch is the longest word, in bytes, whose memory is kept for the next.
const largestScratch = 1 << 16
