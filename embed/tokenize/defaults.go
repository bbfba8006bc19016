package tokenize

// MaximumTokens bounds the tokens of a vocabulary, and so their ids. The largest in use
// have 262,000.
const MaximumTokens = 1 << 20

// maximumWords is the number of words that CleanCaption and CleanQuestion
// keep, LAVIS's default.
const maximumWords = 50
