package rules

// Bounds of an ignore file.
const (
	maximumIgnoreBytes = 1 << 20
	maximumPatterns    = 10_000
)

// maximumShards is how many machines may share folders.
const maximumShards = 10_000
