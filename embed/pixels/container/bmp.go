package container

// InspectBMP reads the header of a Windows bitmap.
func InspectBMP(data []byte) (Header, error) {
	h := Header{Orientation: 1}
	const start = 14
	length := little32(data[start:])
	if len(data) < start+int(min(length, 40)) {
		return h, Corrupt("it ends within its header")
	}
	if length < 40 {
		return h, Unsupported("its header is of %d bytes; 40 and more can be read", length)
	}
	fields := data[start:]
	width, height := int64(int32(little32(fields[4:]))), int64(int32(little32(fields[8:])))
	depth, compression := int64(little16(fields[14:])), little32(fields[16:])
	if height < 0 {
		height = -height
	}
	if width < 1 || height < 1 {
		return h, Corrupt("its size is %dx%d", width, height)
	}
	h.Width, h.Height = int(width), int(height)
	if compression != 0 && compression != 3 {
		return h, Unsupported("its compression is %d; only uncompressed bitmaps can be read", compression)
	}
	h.Working = 4 * width * height
	if depth <= 8 {
		h.Working = width * height
	}
	h.Least = (width*depth + 31) / 32 * 4 * height
	return h, nil
}
