package container

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
)

// maximumScans is the number of scans above which a JPEG is a trap.
const maximumScans = 500

// maximumInflation is more than DEFLATE can ever expand its input.
const maximumInflation = 1040

// maximumJXLHeader is how much of a picture is looked at for its header, in bytes.
const maximumJXLHeader = 1 << 16

// maximumLooks is how often a RAW file may be gone through.
const maximumLooks = 4

// Bounds of what is read of a RAW file's directories.
const (
	maximumDirectories = 64
	maximumEntries     = 1000
	maximumBelow       = 16      // directories below one
	maximumPieces      = 1 << 16 // strips and tiles of a file
)
