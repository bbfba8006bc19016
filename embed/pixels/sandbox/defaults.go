package sandbox

// maximumModule bounds a module when it is decompressed, in bytes.
const maximumModule = 16 << 20

// pageSize is the unit of WebAssembly memory, in bytes.
const pageSize = 1 << 16

// turnsPerBreak is how many turns of loops run between two breaks, some
// milliseconds' worth.
const turnsPerBreak = 1 << 18

// pixelsPerBreak and breaksFixed are the time that a decoder has: ten
// times what was measured.
const (
	pixelsPerBreak = 200
	breaksFixed    = 4000
)
