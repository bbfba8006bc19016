package pixels

// Defaults of Options.
const (
	DefaultMaxBytes  = 256 << 20
	DefaultMaxPixels = 250_000_000
	// MaximumPixels is for whoever has other bounds on what is asked of it, and only
	// has to read again what was read before.
	MaximumPixels = 1_000_000_000
	// DefaultMaxSide is the longest side, in pixels: JPEG knows no longer one. What
	// resizing takes grows with it, however thin the picture is.
	DefaultMaxSide = 65_535
	// DefaultMemory is what decoding takes at one time, in bytes.
	DefaultMemory = 1 << 30
)

// checkedRows is how many rows are worked on between two looks at whether anybody
// still waits.
const checkedRows = 256

// WholePixels is the number of pixels up to which pictures keep their size. Larger ones
// are made smaller by a power of two as they are read: no model looks that closely.
const WholePixels = 100_000_000
