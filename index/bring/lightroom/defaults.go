package lightroom

// maximumNames bounds keywords and collections, and maximumLevels how deep they are nested.
const (
	maximumNames  = 1_000_000
	maximumLevels = 32
)
