package captionscore

// longest is the length of the longest sequences of words that are compared.
const longest = 4

// Limits of what is measured.
const (
	maximumEntries = 1_000_000
	maximumWords   = 1000 // of a caption, the rest does not count
)
