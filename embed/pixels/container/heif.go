package container

import "image"

// HEICColour says how the YCbCr of a HEIC file is meant (ISO/IEC 23091-2).
type HEICColour struct {
	// Matrix is the number of the coefficients: 1, 6 and 9 are BT.709, BT.601 and BT.2020.
	Matrix uint16
	// Limited says that luma goes from 16 to 235.
	Limited bool
}

// heifItem is what a HEIC or AVIF file says of its primary picture.
type heifItem struct {
	width, height int // as it is stored
	crop          image.Rectangle
	turns         int // by 90 degrees, anticlockwise
	mirror        mirror
	largest       int64 // pixels of the largest picture or tile in the file
	alpha         bool  // there is a picture of transparency, or of depth or the like
}

// mirror says how a picture is turned over, after it has been turned.
type mirror int

const (
	mirrorNone mirror = iota
	mirrorDown        // top becomes bottom
	mirrorAcross
)

// orientation returns the EXIF orientation that means the same.
func (item heifItem) orientation() int {
	return [3][4]int{{1, 8, 3, 6}, {4, 5, 2, 7}, {2, 7, 4, 5}}[item.mirror][item.turns]
}

// InspectHEIC reads the properties of the primary picture. Cropping and turning
// are applied by the decoder, so the size is that of the upright picture.
func InspectHEIC(data []byte) (Header, error) {
	h := Header{Orientation: 1, OwnSize: true}
	item := readHEIFItem(data)
	h.Width, h.Height = item.width, item.height
	if item.width == 0 || item.height == 0 {
		return h, Corrupt("it does not say how large its picture is")
	}
	if !item.crop.Empty() {
		h.Width, h.Height = item.crop.Dx(), item.crop.Dy()
	}
	if item.turns&1 != 0 {
		h.Width, h.Height = h.Height, h.Width
	}
	h.Largest = item.largest
	h.Working, h.Most = sandboxMemory(len(data), item.largest, heicPixel)
	return h, nil
}

// readHEIFItem finds the properties that belong to the primary item (ISO/IEC
// 23008-12). Where the file does not say which do, every property counts.
func readHEIFItem(data []byte) heifItem {
	var item heifItem
	meta := findBox(data, "meta")
	if len(meta) < 4 {
		return item
	}
	properties := findBox(meta[4:], "iprp")
	own := primaryProperties(meta[4:], properties)
	rest := findBox(properties, "ipco")
	var aperture []byte
	for index := 1; ; index++ {
		name, content, after, ok := nextBox(rest)
		if !ok {
			item.crop = cropOf(aperture, item.width, item.height)
			return item
		}
		rest = after
		if name == "clap" && (own == nil || own[index]) {
			aperture = content
		}
		item.apply(name, content, own == nil || own[index])
	}
}

// apply takes in one property; own says that it belongs to the primary item.
func (item *heifItem) apply(name string, content []byte, own bool) {
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
	case name == "irot" && own && len(content) >= 1:
		item.turns = int(content[0] & 3)
	case name == "imir" && own && len(content) >= 1:
		item.mirror = mirrorDown + mirror(content[0]&1)
	case name == "auxC":
		item.alpha = true
	}
}

// cropOf returns the part of a picture that a clean aperture shows, or nothing
// where there is none or it makes no sense (ISO/IEC 14496-12, section 12.1.4).
func cropOf(aperture []byte, width, height int) image.Rectangle {
	if len(aperture) < 32 {
		return image.Rectangle{}
	}
	field := func(i int) int64 { return int64(int32(big32(aperture[4*i:]))) }
	side := func(i int, whole int64) (from, to int64) {
		size, sizeUnit, offset, offsetUnit := field(i), field(i+1), field(i+4), field(i+5)
		if sizeUnit < 1 || offsetUnit < 1 {
			return 0, 0
		}
		size /= sizeUnit
		from = ((whole-size)*offsetUnit + 2*offset) / (2 * offsetUnit)
		return from, from + size
	}
	left, right := side(0, int64(width))
	top, bottom := side(2, int64(height))
	if left < 0 || top < 0 || right <= left || bottom <= top || right > int64(width) || bottom > int64(height) {
		return image.Rectangle{}
	}
	return image.Rect(int(left), int(top), int(right), int(bottom))
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

// HEICColourOf returns what the file says of its colours. Without a word it is
// what telephones write: BT.601 in full range.
func HEICColourOf(data []byte) HEICColour {
	colour := HEICColour{Matrix: 6}
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
			return HEICColour{Matrix: big16(content[8:]), Limited: content[10]&0x80 == 0}
		}
	}
	return colour
}
