package container

// TIFF compressions that are read here.
const (
	tiffNone       = 1
	tiffLZW        = 5
	tiffDeflate    = 8
	tiffPackBits   = 32773
	tiffDeflateOld = 32946
)

// InspectTIFF reads the first directory.
func InspectTIFF(data []byte) (Header, error) {
	h := Header{Orientation: 1}
	tags := readDirectory(data)
	if tags == nil {
		return h, Corrupt("it has no directory")
	}
	width, height := tags[tagWidth], tags[tagLength]
	if width < 1 || height < 1 || width > 1<<31-1 || height > 1<<31-1 {
		return h, Corrupt("its size is %dx%d", width, height)
	}
	h.Width, h.Height = int(width), int(height)
	h.Orientation = int(tags[tagOrientation])
	if width > 1<<26 || height > 1<<26 { // out of every limit; keeps the products below within 64 bits
		h.Least = 1 << 40
		return h, nil
	}
	depth, samples := max(tags[tagBitsPerSample], 1), max(tags[tagSamples], 1)
	if depth > 64 || samples > 64 {
		return h, Corrupt("it has %d samples of %d bits", samples, depth)
	}
	raw := int64((width*samples*depth+7)/8) * int64(height)
	perPixel := uint64(4)
	if depth > 8 {
		perPixel = 8
	}
	blockWidth, blockHeight := tags[tagTileWidth], tags[tagTileLength]
	if blockWidth == 0 {
		blockWidth, blockHeight = width, height
		if rows := tags[tagRowsPerStrip]; rows > 0 {
			blockHeight = min(rows, height)
		}
	} else if blockWidth > max(1024, width+16) || blockHeight > max(1024, height+16) {
		return h, Corrupt("its tiles of %dx%d are larger than the picture", blockWidth, blockHeight)
	}
	h.Working = int64(width*perPixel)*int64(height) + int64(blockWidth*8)*int64(blockHeight)
	switch tags[tagCompression] {
	case 0, tiffNone:
		h.Least = raw
	case tiffPackBits:
		h.Least = raw / 64
	case tiffDeflate, tiffDeflateOld:
		h.Least = raw / maximumInflation
	case tiffLZW:
		h.Least = raw / 4096
	default: // fax: a row costs a bit or more
		// The decoder makes white runs white, but they are zeros, and those
		// are black in a picture where black is zero.
		const blackIsZero = 1
		h.Negative = tags[tagPhotometric] == blackIsZero
		h.Least = int64(height) / 8
	}
	return h, nil
}
