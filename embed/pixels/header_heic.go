package pixels

import "encoding/binary"

// heicColour says how the YCbCr of a HEIC file is meant (ISO/IEC 23091-2).
type heicColour struct {
	matrix  uint16
	limited bool
}

// heicItem is what a HEIC file says of its primary picture.
type heicItem struct {
	width, height         int // as it is stored
	cropWidth, cropHeight int // what is seen of it, or 0
	turned                bool
	largest               int64 // pixels of the largest picture or tile in the file
}

// inspectHEIC reads the properties of the primary picture (ISO/IEC 23008-12).
// Cropping and turning are applied by the decoder, so the size is that of the
// upright picture.
func inspectHEIC(data []byte) (header, error) {
	h := header{orientation: 1}
	item := readHEICItem(data)
	h.width, h.height = item.width, item.height
	if item.width == 0 || item.height == 0 {
		return h, corrupt("it does not say how large its picture is")
	}
	if item.cropWidth > 0 && item.cropWidth <= item.width && item.cropHeight > 0 && item.cropHeight <= item.height {
		h.width, h.height = item.cropWidth, item.cropHeight
	}
	if item.turned {
		h.width, h.height = h.height, h.width
	}
	h.largest = item.largest
	h.working = heicWorking(item.largest)
	return h, nil
}

// readHEICItem finds the properties that belong to the primary item. Where the
// file does not say which do, every property counts.
func readHEICItem(data []byte) heicItem {
	var item heicItem
	meta := findBox(data, "meta")
	if len(meta) < 4 {
		return item
	}
	properties := findBox(meta[4:], "iprp")
	own := primaryProperties(meta[4:], properties)
	rest := findBox(properties, "ipco")
	for index := 1; ; index++ {
		name, content, after, ok := nextBox(rest)
		if !ok {
			return item
		}
		rest = after
		item.apply(name, content, own == nil || own[index])
	}
}

// apply takes in one property; own says that it belongs to the primary item.
func (item *heicItem) apply(name string, content []byte, own bool) {
	switch {
	case name == "ispe" && len(content) >= 12:
		width, height := int64(big32(content[4:])), int64(big32(content[8:]))
		if width > 1<<31 || height > 1<<31 {
			width, height = 1<<31, 1<<31 // above every limit, and their product fits
		}
		if own && width*height > int64(item.width)*int64(item.height) {
			item.width, item.height = int(width), int(height)
		}
		item.largest = max(item.largest, width*height)
	case name == "clap" && own && len(content) >= 16:
		if across, down := big32(content[4:]), big32(content[12:]); across > 0 && down > 0 {
			item.cropWidth, item.cropHeight = int(big32(content)/across), int(big32(content[8:])/down)
		}
	case name == "irot" && own && len(content) >= 1:
		item.turned = content[0]&1 != 0
	}
}

// primaryProperties returns the indexes, from 1, of the properties that belong
// to the primary item, or nil when the file does not say.
func primaryProperties(meta, properties []byte) map[int]bool {
	primary := findBox(meta, "pitm")
	associations := findBox(properties, "ipma")
	if len(primary) < 6 || len(associations) < 8 {
		return nil
	}
	wanted := uint32(big16(primary[4:]))
	if primary[0] > 0 && len(primary) >= 8 {
		wanted = big32(primary[4:])
	}
	version, wide := associations[0], associations[3]&1 != 0
	at := 8
	next := func(size int) (value uint32, ok bool) {
		if at+size > len(associations) {
			return 0, false
		}
		for _, b := range associations[at : at+size] {
			value = value<<8 | uint32(b)
		}
		at += size
		return value, true
	}
	idSize, indexSize, indexMask := 2, 1, uint32(0x7F)
	if version > 0 {
		idSize = 4
	}
	if wide {
		indexSize, indexMask = 2, 0x7FFF
	}
	for {
		id, _ := next(idSize)
		count, ok := next(1)
		if !ok {
			return nil
		}
		own := map[int]bool{}
		for range count {
			index, ok := next(indexSize)
			if !ok {
				return nil
			}
			own[int(index&indexMask)] = true
		}
		if id == wanted {
			return own
		}
	}
}

// heicWorking returns the memory that decoding that many pixels takes at most:
// the decoder's image, the tile or rotation beside it, and the copy that it
// hands over; and what the decoder takes for itself.
func heicWorking(pixels int64) int64 {
	const fixed = 48 << 20
	return 12*min(pixels, 1<<32) + fixed
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

// conversion returns the way to red, green and blue.
func (c heicColour) conversion() *yCbCrColour {
	switch {
	case c.matrix == 1:
		return newColour(0.2126, 0.0722, c.limited)
	case c.matrix == 9, c.matrix == 10:
		return newColour(0.2627, 0.0593, c.limited)
	}
	return newColour(0.299, 0.114, c.limited)
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
