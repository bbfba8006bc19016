package facets

// The largest that may be asked for, and what is given where nothing is said.
const (
	// MaximumValues bounds the values of a level, and DefaultValues is their number.
	MaximumValues = 2000
	DefaultValues = 100
	// MaximumDepth bounds the levels of a tree that are given at once; 1 is the default.
	MaximumDepth = 8
	// MaximumFind is the length in bytes of the longest text that is looked for among values.
	MaximumFind = 200
)

// deepest bounds the levels of a tree: what lies deeper is counted where the tree ends.
const deepest = 64

// checkInterval is how many records are counted between looks at the context.
const checkInterval = 4096
