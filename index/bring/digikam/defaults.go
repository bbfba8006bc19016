package digikam

// maximumTags bounds the tree of tags, and maximumLevels its depth.
const (
	maximumTags   = 1_000_000
	maximumLevels = 32
)
