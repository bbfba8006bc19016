package language

import "mekiki/embed/tokenize"

// Bounds on the files of a tokenizer. The largest in use are 34 MB, with 262,000
// tokens; the longest token has 256 bytes.
const (
	maximumFileBytes   = 64 << 20
	maximumTokens      = tokenize.MaximumTokens
	maximumAdded       = 1 << 16
	maximumTokenBytes  = 1 << 12
	maximumAddedBytes  = 2 << 20
	maximumStages      = 16
	maximumElements    = 1 << 16
	maximumTemplateIDs = 64
	maximumPiecesBytes = 8 << 20
	maximumPairs       = 1 << 20
	maximumMergeBytes  = 1 << 30 // compared to find merges: the squares of the pieces' lengths
)

// maximumGrowth is how many times longer normalising may make a text; nmt_nfkc's
// longest replacement has 33 bytes, and ▁ for a space 3.
const maximumGrowth = 256

// noToken stands for a special token that a tokenizer lacks.
const noToken = -1

// What transformers' T5Tokenizer takes where no file says otherwise.
const (
	defaultExtraIDs = 100
	t5Unknown       = 2
)
