package pixels

// pixelsPerBreak and breaksFixed are the time that a decoder in the sandbox has: ten
// times what was measured.
const (
	pixelsPerBreak = 200
	breaksFixed    = 4000
)

// checkedRows is how many rows are worked on between two looks at whether anybody
// still waits.
const checkedRows = 256

// WholePixels is the number of pixels up to which pictures keep their size. Larger ones
// are made smaller by a power of two as they are read: no model looks that closely.
const WholePixels = 100_000_000
