package container

import "encoding/binary"

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
