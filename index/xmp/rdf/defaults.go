package rdf

// Bounds of a sidecar that is read and written: its bytes, the elements and attributes in it, and how deep they are nested.
const (
	MaximumBytes = 4 << 20
	maximumNodes = 50_000
	maximumDepth = 64
)
