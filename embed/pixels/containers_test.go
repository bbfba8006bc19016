package pixels

import "encoding/binary"

// What the tests write into files themselves.
const (
	tagWidth          = 256
	tagLength         = 257
	tagBitsPerSample  = 258
	tagCompression    = 259
	tagPhotometric    = 262
	tagStripOffsets   = 273
	tagOrientation    = 274
	tagTileWidth      = 322
	tagTileLength     = 323
	tagTileOffsets    = 324
	tagSubDirectories = 330
	tagPreview        = 513
	tagPreviewLength  = 514
	tagDNGVersion     = 50706

	photometricCFA    = 32803
	photometricLinear = 34892

	webpAlpha = 1 << 4
	pngEnd    = "\x00\x00\x00\x00IEND\xae\x42\x60\x82"
	// cutRAW is what is said of a RAW file that ends early.
	cutRAW = "the file ends early: the largest preview that is whole was read"
)

// chunk is one RIFF chunk: a name of four letters and its data.
type chunk struct {
	name string
	data []byte
}

func appendChunk(dst []byte, c chunk) []byte {
	dst = append(dst, c.name...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(c.data)))
	dst = append(dst, c.data...)
	return append(dst, make([]byte, len(c.data)&1)...)
}
