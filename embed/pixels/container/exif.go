package container

import (
	"bytes"
	"encoding/binary"
)

// TIFF tags that are read here.
const (
	tagWidth         = 256
	tagLength        = 257
	tagBitsPerSample = 258
	tagCompression   = 259
	tagPhotometric   = 262
	tagOrientation   = 274
	tagSamples       = 277
	tagRowsPerStrip  = 278
	tagTileWidth     = 322
	tagTileLength    = 323
)

// directory gives the numbers of a TIFF's first image file directory.
type directory map[uint16]uint64

// readDirectory reads the first directory of a TIFF file, or of an EXIF block,
// which is one. Of a list only the first number is kept. It returns nil when
// there is none.
func readDirectory(data []byte) directory {
	if len(data) < 8 {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(data[:2]) == "MM" {
		order = binary.BigEndian
	} else if string(data[:2]) != "II" {
		return nil
	}
	at := int64(order.Uint32(data[4:]))
	if at < 8 || at+2 > int64(len(data)) {
		return nil
	}
	count := int64(order.Uint16(data[at:]))
	found := make(directory, 16)
	for entry := at + 2; count > 0 && entry+12 <= int64(len(data)); count, entry = count-1, entry+12 {
		tag, kind, length := order.Uint16(data[entry:]), order.Uint16(data[entry+2:]), order.Uint32(data[entry+4:])
		value := data[entry+8 : entry+12]
		size := map[uint16]int64{1: 1, 3: 2, 4: 4}[kind]
		if size == 0 || length == 0 || !isReadTag(tag) {
			continue
		}
		if size*int64(length) > 4 {
			offset := int64(order.Uint32(value))
			if offset+size > int64(len(data)) {
				continue
			}
			value = data[offset:]
		}
		if _, ok := found[tag]; ok {
			continue
		}
		switch size {
		case 1:
			found[tag] = uint64(value[0])
		case 2:
			found[tag] = uint64(order.Uint16(value))
		case 4:
			found[tag] = uint64(order.Uint32(value))
		}
	}
	return found
}

func isReadTag(tag uint16) bool {
	switch tag {
	case tagWidth, tagLength, tagBitsPerSample, tagCompression, tagPhotometric, tagOrientation,
		tagSamples, tagRowsPerStrip, tagTileWidth, tagTileLength:
		return true
	}
	return false
}

// exifOrientation returns the orientation that an EXIF block gives, 1 to 8, or
// 0 when it gives none. The block may start with the "Exif" of a JPEG segment.
func exifOrientation(block []byte) int {
	block = bytes.TrimPrefix(block, []byte("Exif\x00\x00"))
	orientation := readDirectory(block)[tagOrientation]
	if orientation < 1 || orientation > 8 {
		return 0
	}
	return int(orientation)
}
