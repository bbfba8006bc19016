package container

// PNGSignature is what a PNG file begins with.
const PNGSignature = "\x89PNG\r\n\x1a\n"

// InspectPNG reads the IHDR chunk and looks for an eXIf chunk.
func InspectPNG(data []byte) (Header, error) {
	h := Header{Orientation: 1}
	const first = len(PNGSignature)
	if len(data) < first+25 || string(data[first+4:first+8]) != "IHDR" || big32(data[first:]) != 13 {
		return h, Corrupt("it does not start with an IHDR chunk")
	}
	fields := data[first+8:]
	width, height := big32(fields), big32(fields[4:])
	if width > 1<<31-1 || height > 1<<31-1 {
		return h, Corrupt("its size is %dx%d", width, height)
	}
	h.Width, h.Height = int(width), int(height)
	depth, kind, interlaced := int64(fields[8]), fields[9], fields[12] != 0
	channels, ok := map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
	if !ok || depth > 16 {
		return h, Corrupt("its colour type is %d at %d bits", kind, depth)
	}
	// A side above 2^24 with any other is out of every limit; stopping here
	// keeps the products below within 64 bits.
	if h.Width > 1<<30 || h.Height > 1<<30 {
		h.Least = 1 << 40
		return h, nil
	}
	rowBytes := (int64(width)*channels*depth + 7) / 8
	h.Least = (rowBytes + 1) / maximumInflation * int64(height)
	if rowBytes < maximumInflation {
		h.Least = int64(height) * (rowBytes + 1) / maximumInflation
	}
	perPixel := int64(1)
	switch {
	case kind == 3:
	case depth == 16:
		perPixel = 8
	case kind != 0 || hasChunk(data, "tRNS"):
		perPixel = 4
	}
	h.Working = int64(width) * perPixel * int64(height)
	if interlaced {
		h.Working *= 2
	}
	h.Working += int64(len(data)) // a file without its damaged extras is a copy
	if exif := findChunk(data, "eXIf"); exif != nil {
		h.Orientation = exifOrientation(exif)
	}
	return h, nil
}

// findChunk returns the data of the first chunk of the given type, or nil.
func findChunk(data []byte, kind string) []byte {
	for at := len(PNGSignature); at+12 <= len(data); {
		length := int64(big32(data[at:]))
		end := int64(at) + 12 + length
		if end > int64(len(data)) {
			return nil
		}
		if string(data[at+4:at+8]) == kind {
			return data[at+8 : end-4]
		}
		at = int(end)
	}
	return nil
}

func hasChunk(data []byte, kind string) bool { return findChunk(data, kind) != nil }
