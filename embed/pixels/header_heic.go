package pixels

import "encoding/binary"

// heicColour says how the YCbCr of a HEIC file is meant (ISO/IEC 23091-2).
type heicColour struct {
	matrix  uint16
	limited bool
}

// inspectHEIC reads the sizes in the item properties (ISO/IEC 23008-12). The
// size of a picture that is stored in tiles is given in the same way, so the
// largest size is the picture's. What turns the picture is applied by the
// decoder, so its orientation is always upright.
func inspectHEIC(data []byte) (header, error) {
	h := header{orientation: 1}
	meta := findBox(data, "meta")
	if len(meta) < 4 {
		return h, corrupt("it has no picture")
	}
	properties := findBox(findBox(meta[4:], "iprp"), "ipco")
	for len(properties) > 0 {
		name, content, rest, ok := nextBox(properties)
		if !ok {
			break
		}
		properties = rest
		if name == "ispe" && len(content) >= 12 {
			width, height := int64(big32(content[4:])), int64(big32(content[8:]))
			if width*height > int64(h.width)*int64(h.height) {
				h.width, h.height = int(width), int(height)
			}
		}
	}
	if h.width == 0 {
		return h, corrupt("it does not say how large its picture is")
	}
	h.working = heicWorking(h.width, h.height)
	return h, nil
}

// heicWorking returns the memory that decoding a picture takes at most: the
// decoder's image, the tile or rotation beside it, and the copy that it hands
// over; and what the decoder takes for itself.
func heicWorking(width, height int) int64 {
	const fixed = 48 << 20
	return 12*int64(width)*int64(height) + fixed
}

// heicColourOf returns what the file says of its colours. Without a word it is
// what telephones write: BT.601 in full range.
func heicColourOf(data []byte) heicColour {
	colour := heicColour{matrix: 6}
	meta := findBox(data, "meta")
	if len(meta) < 4 {
		return colour
	}
	properties := findBox(findBox(meta[4:], "iprp"), "ipco")
	for len(properties) > 0 {
		name, content, rest, ok := nextBox(properties)
		if !ok {
			break
		}
		properties = rest
		if name == "colr" && len(content) >= 11 && string(content[:4]) == "nclx" {
			return heicColour{matrix: big16(content[8:]), limited: content[10]&0x80 == 0}
		}
	}
	return colour
}

// findBox returns the content of the first box of the given name, or nil.
func findBox(data []byte, name string) []byte {
	for len(data) > 0 {
		found, content, rest, ok := nextBox(data)
		if !ok {
			return nil
		}
		if found == name {
			return content
		}
		data = rest
	}
	return nil
}

// nextBox splits the first box off data (ISO/IEC 14496-12).
func nextBox(data []byte) (name string, content, rest []byte, ok bool) {
	if len(data) < 8 {
		return "", nil, nil, false
	}
	size, start := uint64(big32(data)), uint64(8)
	switch {
	case size == 0:
		size = uint64(len(data))
	case size == 1 && len(data) >= 16:
		size, start = binary.BigEndian.Uint64(data[8:]), 16
	}
	if size < start || size > uint64(len(data)) {
		return "", nil, nil, false
	}
	return string(data[4:8]), data[start:size], data[size:], true
}
