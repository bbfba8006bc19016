package rules

// Bounds of an ignore file.
const (
	maximumIgnoreBytes = 1 << 20
	maximumPatterns    = 10_000
)
