package tokenize

// maximumWords is the number of words that CleanCaption and CleanQuestion
// keep, LAVIS's default.
const maximumWords = 50
