package pixels

// fileInfo is what a file says about itself before it is decoded.
type fileInfo struct {
	// Format is told from the content.
	Format Format
	// Width and Height are those of the upright image, in pixels.
	Width, Height int
	// Orientation is the EXIF orientation that decoding applies, 1 (upright)
	// to 8.
	Orientation int
}

// inspectFile reads the header of an image file: cheap, and without the checks
// against limits that Decode makes. It fails with ErrUnsupported or
// ErrCorrupt.
func inspectFile(data []byte) (fileInfo, error) {
	h, err := inspect(data)
	if err != nil {
		return fileInfo{}, err
	}
	info := fileInfo{Format: h.format, Width: h.Width, Height: h.Height, Orientation: h.Orientation}
	if h.Orientation >= 5 {
		info.Width, info.Height = h.Height, h.Width
	}
	return info, nil
}

// blip2Normalization returns the values of every published BLIP-2 model, which
// are CLIP's.
func blip2Normalization() Normalization {
	return Normalization{
		Mean:              [3]float32{0.48145466, 0.4578275, 0.40821073},
		StandardDeviation: [3]float32{0.26862954, 0.26130258, 0.27577711},
		RescaleFactor:     1.0 / 255,
	}
}
