package embed

// Sizes of batches, by measurement (processor time at the published Q-Former's width): 8 texts together take half of what
// they take one by one, since they share reading the weights; pairs for matching take a tenth less, and a small batch can
// be stopped sooner. Images gain nothing.
const (
	textBatch  = 16
	matchBatch = 4
)

// Sizes of captions as LAVIS takes them; both count the starting token.
const (
	captionBeams         = 3
	captionMaximumLength = 30
)

// Limits of packed tokens, far above the largest model's 677 x 1408.
const (
	maximumTokenRows    = 1 << 14
	maximumTokenColumns = 1 << 16
	maximumTokenValues  = 1 << 26
	packedHeaderBytes   = 12
)

// hashedColumns is how many values of a row are looked at to find rows that may be equal to it.
const hashedColumns = 4

// smallestNormWeight is how small a weight of the other encoder's norm may be, relative to the largest, for what it scaled
// down to be scaled up again: image tokens are kept with 8 bits, so that below it nothing would be left but their rounding.
const smallestNormWeight = 1.0 / 64
