package container

import (
	"bytes"
	"slices"

	"mekiki/embed/pixels/jpegfix"
)

// adobeMarker is the segment that Adobe writes, of a file whose colours are not
// transformed.
const adobeMarker = "\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00\x00"

// WithAdobeMarker returns a JPEG of four inks that says what its colours are.
// Without the segment they are CMYK to libjpeg, and image/jpeg refuses them; Pillow
// and browsers then take them for stored inverted, as Adobe stores them.
func WithAdobeMarker(data []byte) []byte {
	const afterSOI = 2
	return slices.Concat(data[:afterSOI], []byte(adobeMarker), data[afterSOI:])
}

// InspectJPEG reads the segments up to the first scan.
func InspectJPEG(data []byte) (Header, error) {
	h := Header{Orientation: 1}
	adobe := false
	for at := 2; ; {
		// Whatever stands between two segments is skipped, as every decoder
		// does.
		skip := bytes.IndexByte(data[at:], 0xFF)
		if skip < 0 || at+skip+1 >= len(data) {
			return h, Corrupt("it ends before its picture starts")
		}
		at += skip + 1
		marker := data[at]
		if marker == 0xFF {
			continue
		}
		at++
		if marker == 0 || marker == jpegfix.TEM || marker == jpegfix.SOI || marker >= jpegfix.RST0 && marker <= jpegfix.RST7 {
			continue
		}
		if marker == jpegfix.EOI {
			return h, Corrupt("it ends before its picture starts")
		}
		if at+2 > len(data) {
			return h, Corrupt("it ends before its picture starts")
		}
		length := int(big16(data[at:]))
		if length < 2 || at+length > len(data) {
			return h, Corrupt("a segment runs past the end of the file")
		}
		segment := data[at+2 : at+length]
		at += length
		switch {
		case marker == jpegfix.APP1 && bytes.HasPrefix(segment, []byte("Exif\x00")) && len(segment) > 6:
			if found := exifOrientation(segment[6:]); found != 0 {
				h.Orientation = found
			}
		case marker == jpegfix.APP14 && bytes.HasPrefix(segment, []byte("Adobe")):
			adobe = true
		case marker == jpegfix.SOS:
			if h.Width == 0 {
				return h, Corrupt("it has a scan but no frame header")
			}
			// Every scan goes over the whole picture. Real files have ten or
			// so; in the coded data, this pair of bytes is always a marker.
			h.Working += 3 * int64(len(data)) // mending a damaged file takes copies of it
			h.Unmarked = h.Unmarked && !adobe
			if scans := bytes.Count(data[at:], []byte{0xFF, jpegfix.SOS}); scans > maximumScans {
				return h, Corrupt("it has %d scans", scans+1)
			}
			return h, nil
		case marker >= jpegfix.SOF0 && marker <= jpegfix.SOF15 &&
			marker != jpegfix.DHT && marker != jpegfix.JPG && marker != jpegfix.DAC:
			if err := h.readFrame(marker, segment); err != nil {
				return h, err
			}
		}
	}
}

// readFrame reads a frame header (SOF).
func (h *Header) readFrame(marker byte, segment []byte) error {
	if marker > jpegfix.SOF2 {
		return Unsupported("its compression (SOF%d) is neither baseline nor progressive", marker-jpegfix.SOF0)
	}
	if len(segment) < 6 || len(segment) < 6+3*int(segment[5]) {
		return Corrupt("its frame header is too short")
	}
	if segment[0] != 8 {
		return Unsupported("it has %d bits a sample; 8 can be read", segment[0])
	}
	h.Height, h.Width = int(big16(segment[1:])), int(big16(segment[3:]))
	components := int(segment[5])
	if components != 1 && components != 3 && components != 4 {
		return Unsupported("it has %d colour components; 1, 3 and 4 can be read", components)
	}
	maximumH, maximumV := 1, 1
	var samples int64 // of all components, in a block of maximumH*maximumV*64
	for i := range components {
		across, down := int(segment[7+3*i]>>4), int(segment[7+3*i]&15)
		if across < 1 || across > 4 || down < 1 || down > 4 {
			return Corrupt("component %d has sampling factors %dx%d", i, across, down)
		}
		maximumH, maximumV = max(maximumH, across), max(maximumV, down)
		samples += int64(across * down)
	}
	if components == 1 {
		maximumH, maximumV, samples = 1, 1, 1
	}
	units := int64((h.Width+8*maximumH-1)/(8*maximumH)) * int64((h.Height+8*maximumV-1)/(8*maximumV))
	blocks := units * samples
	// Planes take a byte a sample; a progressive image first keeps 32-bit
	// coefficients. Four components are copied once more.
	h.Working = 64 * blocks
	if marker == jpegfix.SOF2 {
		h.Working *= 5
	}
	h.Unmarked = components == 4
	if components == 4 {
		h.Working += 4 * 64 * units * int64(maximumH*maximumV)
	}
	// Every block costs one bit or more in the scan with its DC value; a
	// baseline one also ends its AC values.
	h.Least = blocks / 8
	if marker != jpegfix.SOF2 {
		h.Least *= 2
	}
	return nil
}
