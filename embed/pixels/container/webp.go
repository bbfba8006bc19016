package container

import (
	"encoding/binary"
	"slices"
)

// Flags of a VP8X chunk.
const (
	webpAnimated = 1 << 1
	webpAlpha    = 1 << 4
)

// chunk is one RIFF chunk: a name of four letters and its data.
type chunk struct {
	name string
	data []byte
}

// nextChunk splits the first chunk off data. A last chunk that is cut short is
// returned as far as it goes; ok is false when not even a header is left.
func nextChunk(data []byte) (c chunk, rest []byte, ok bool) {
	if len(data) < 8 {
		return chunk{}, nil, false
	}
	length := int64(little32(data[4:]))
	c.name = string(data[:4])
	data = data[8:]
	c.data = data[:min(length, int64(len(data)))]
	return c, data[min(length+length&1, int64(len(data))):], true
}

// InspectWebP walks the chunks to the first picture.
func InspectWebP(data []byte) (Header, error) {
	h := Header{Orientation: 1}
	var flags byte
	var picture bool
	for rest := data[12:]; ; {
		c, after, ok := nextChunk(rest)
		if !ok {
			break
		}
		rest = after
		var err error
		switch c.name {
		case "VP8X":
			if len(c.data) < 10 {
				return h, Corrupt("its VP8X chunk is too short")
			}
			flags = c.data[0]
			h.Width, h.Height = little24(c.data[4:])+1, little24(c.data[7:])+1
		case "VP8 ", "VP8L":
			if !picture {
				picture, err = true, h.readWebPPicture(c, flags&webpAlpha != 0)
			}
		case "ANMF":
			if !picture && flags&webpAnimated != 0 {
				picture, err = true, h.readAnimationFrame(c.data)
			}
		case "EXIF":
			h.Orientation = exifOrientation(c.data)
		}
		if err != nil {
			return h, err
		}
	}
	if !picture {
		return h, Corrupt("it has no picture")
	}
	return h, nil
}

// readWebPPicture reads the size in a VP8 or VP8L chunk, which must be that of
// the canvas when there is one.
func (h *Header) readWebPPicture(c chunk, alpha bool) error {
	width, height, err := webPSize(c)
	if err != nil {
		return err
	}
	if h.Width != 0 && (h.Width != width || h.Height != height) {
		return Corrupt("its picture is %dx%d on a canvas of %dx%d", width, height, h.Width, h.Height)
	}
	h.Width, h.Height = width, height
	h.Working = webPMemory(c, alpha, width, height)
	h.Least = webPLeast(c, width, height)
	return nil
}

// webPSize returns the size that a VP8 or VP8L chunk gives.
func webPSize(c chunk) (width, height int, err error) {
	if c.name == "VP8L" {
		if len(c.data) < 5 || c.data[0] != 0x2F {
			return 0, 0, Corrupt("its VP8L header is damaged")
		}
		bits := little32(c.data[1:])
		return int(bits&0x3FFF) + 1, int(bits>>14&0x3FFF) + 1, nil
	}
	if len(c.data) < 10 || c.data[3] != 0x9D || c.data[4] != 0x01 || c.data[5] != 0x2A || c.data[0]&1 != 0 {
		return 0, 0, Corrupt("its VP8 header is damaged")
	}
	return int(little16(c.data[6:]) & 0x3FFF), int(little16(c.data[8:]) & 0x3FFF), nil
}

// webPMemory returns the memory that decoding a chunk takes at most.
func webPMemory(c chunk, alpha bool, width, height int) int64 {
	padded := int64(width+15) * int64(height+15)
	switch {
	case c.name == "VP8L":
		return 10 * padded
	case alpha:
		return 12 * padded
	}
	return 2 * padded
}

// webPLeast returns the fewest bytes that a picture can have: lossy, at least
// an eighth of a bit for each macroblock of 16x16; lossless has no bound.
func webPLeast(c chunk, width, height int) int64 {
	if c.name == "VP8L" {
		return 0
	}
	return int64((width+15)/16) * int64((height+15)/16) / 64
}

// readAnimationFrame reads an ANMF chunk, the first picture of an animation,
// and makes a file of its own of it.
func (h *Header) readAnimationFrame(data []byte) error {
	const headerBytes = 16
	if len(data) < headerBytes {
		return Corrupt("its first animation frame is too short")
	}
	f := &h.Frame
	f.X, f.Y = 2*little24(data), 2*little24(data[3:])
	f.Width, f.Height = little24(data[6:])+1, little24(data[9:])+1
	if f.X+f.Width > h.Width || f.Y+f.Height > h.Height {
		return Corrupt("its first frame lies outside the canvas of %dx%d", h.Width, h.Height)
	}
	var alpha []byte
	for rest := data[headerBytes:]; ; {
		c, after, ok := nextChunk(rest)
		if !ok {
			return Corrupt("its first animation frame has no picture")
		}
		rest = after
		switch c.name {
		case "ALPH":
			alpha = c.data
		case "VP8 ", "VP8L":
			width, height, err := webPSize(c)
			if err != nil {
				return err
			}
			if width != f.Width || height != f.Height {
				return Corrupt("its first frame says both %dx%d and %dx%d", f.Width, f.Height, width, height)
			}
			h.Working = webPMemory(c, alpha != nil, width, height) + 3*int64(width)*int64(height)
			h.Least = webPLeast(c, width, height)
			f.Data = stillWebP(c, alpha, width, height)
			return nil
		}
	}
}

// stillWebP returns a WebP file of one picture.
func stillWebP(c chunk, alpha []byte, width, height int) []byte {
	out := make([]byte, 0, len(c.data)+len(alpha)+64)
	out = append(out, "RIFF\x00\x00\x00\x00WEBP"...)
	if alpha != nil && c.name == "VP8 " {
		extended := []byte{webpAlpha, 0, 0, 0}
		extended = append(extended, byte(width-1), byte((width-1)>>8), byte((width-1)>>16))
		extended = append(extended, byte(height-1), byte((height-1)>>8), byte((height-1)>>16))
		out = appendChunk(out, chunk{"VP8X", extended})
		out = appendChunk(out, chunk{"ALPH", alpha})
	}
	out = appendChunk(out, c)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return slices.Clip(out)
}

func appendChunk(dst []byte, c chunk) []byte {
	dst = append(dst, c.name...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(c.data)))
	dst = append(dst, c.data...)
	if len(c.data)&1 != 0 {
		dst = append(dst, 0)
	}
	return dst
}
