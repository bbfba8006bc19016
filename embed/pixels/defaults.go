package pixels

// What the decoders in the sandbox take for a pixel, in bytes, as measured with
// pictures of 12 million pixels: usually, and at most, of files that few programs
// write.
var (
	heicPixel     = pixelCost{usual: 12, most: 24}
	avifPixel     = pixelCost{usual: 24, most: 48} // 8 bits
	deepAVIFPixel = pixelCost{usual: 36, most: 72} // 10 and 12 bits
	jxlPixel      = pixelCost{usual: 24, most: 64}
)

const (
	// sandboxFixed is what a decoder in the sandbox takes whatever the picture, in
	// bytes.
	sandboxFixed = 48 << 20
	// sandboxLargest is the most that it can take.
	sandboxLargest = 1 << 32
	// pixelsPerBreak and breaksFixed are the time that a decoder in the sandbox has:
	// ten times what was measured.
	pixelsPerBreak = 200
	breaksFixed    = 4000
)

// checkedRows is how many rows are worked on between two looks at whether anybody
// still waits.
const checkedRows = 256

// wholePixels is the number of pixels up to which pictures keep their size. Larger ones
// are made smaller by a whole number as they are read: no model looks that closely.
const wholePixels = 100_000_000

// maximumScans is the number of scans above which a JPEG is a trap.
const maximumScans = 500

// maximumInflation is more than DEFLATE can ever expand its input.
const maximumInflation = 1040

// maximumJXLHeader is how much of a picture is looked at for its header, in bytes.
const maximumJXLHeader = 1 << 16

// maximumLooks is how often a RAW file may be gone through.
const maximumLooks = 4
