package container

import (
	"encoding/binary"
	"slices"
)

// More tags of TIFF directories.
const (
	tagRAWPreview    = 46 // Panasonic's, a whole JPEG
	tagStripOffsets  = 273
	tagStripLengths  = 279
	tagTileOffsets   = 324
	tagPreview       = 513
	tagPreviewLength = 514
)

// Compressions of pictures that are JPEGs.
const (
	compressionOldJPEG = 6
	compressionJPEG    = 7
)

// rawDirectory is one directory of a RAW file. Its entries are looked at in place.
type rawDirectory struct {
	data    []byte // the whole file
	order   binary.ByteOrder
	entries []byte // twelve bytes each
}

// directoriesOf yields the directories of a file in the form of a TIFF, whatever its
// signature: the first, those below it and those behind it.
func directoriesOf(data []byte) func(func(rawDirectory) bool) {
	return func(yield func(rawDirectory) bool) {
		if len(data) < 8 || !Prefixed("II", "MM")(data) {
			return
		}
		var order binary.ByteOrder = binary.LittleEndian
		if data[0] == 'M' {
			order = binary.BigEndian
		}
		waiting := []uint32{order.Uint32(data[4:])}
		for read := 0; len(waiting) > 0 && read < maximumDirectories; read++ {
			at := uint64(waiting[0])
			waiting = waiting[1:]
			if at == 0 || at+2 > uint64(len(data)) {
				continue
			}
			count := min(uint64(order.Uint16(data[at:])), maximumEntries)
			end := at + 2 + 12*min(count, (uint64(len(data))-at-2)/12)
			found := rawDirectory{data: data, order: order, entries: data[at+2 : end]}
			if !yield(found) {
				return
			}
			waiting = append(waiting, found.numbers(tagSubDirectories, maximumBelow)...)
			if end+4 <= uint64(len(data)) {
				waiting = append(waiting, order.Uint32(data[end:]))
			}
		}
	}
}

// entry gives the twelve bytes of a tag's first entry, or nil.
func (d rawDirectory) entry(tag uint16) []byte {
	for at := 0; at+12 <= len(d.entries); at += 12 {
		if d.order.Uint16(d.entries[at:]) == tag {
			return d.entries[at : at+12]
		}
	}
	return nil
}

// numbers gives the whole numbers of a tag, at most so many.
func (d rawDirectory) numbers(tag uint16, most int) []uint32 {
	entry := d.entry(tag)
	if entry == nil {
		return nil
	}
	size := map[uint16]int{3: 2, 4: 4, 13: 4}[d.order.Uint16(entry[2:])]
	if size == 0 {
		return nil
	}
	values := entry[8:]
	count := int64(d.order.Uint32(entry[4:]))
	if count*int64(size) > 4 {
		values = d.data[min(int64(d.order.Uint32(values)), int64(len(d.data))):]
	}
	count = min(count, int64(most), int64(len(values)/size))
	found := make([]uint32, count)
	for i := range found {
		if size == 2 {
			found[i] = uint32(d.order.Uint16(values[2*i:]))
		} else {
			found[i] = d.order.Uint32(values[4*i:])
		}
	}
	return found
}

// number gives the only number of a tag.
func (d rawDirectory) number(tag uint16) (uint32, bool) {
	found := d.numbers(tag, 2)
	if len(found) != 1 {
		return 0, false
	}
	return found[0], true
}

// isSensor reports whether the directory is of a sensor's data, or of a DNG.
func (d rawDirectory) isSensor() bool {
	photometric, _ := d.number(tagPhotometric)
	compression, _ := d.number(tagCompression)
	return d.entry(tagDNGVersion) != nil || photometric == photometricCFA || photometric == photometricLinear ||
		isSensorCompression(compression)
}

// previewEnd gives the place where the directory's JPEG ends, or 0 where it has none.
func (d rawDirectory) previewEnd() uint64 {
	if entry := d.entry(tagRAWPreview); entry != nil && d.order.Uint16(entry[2:]) == 7 {
		return uint64(d.order.Uint32(entry[8:])) + uint64(d.order.Uint32(entry[4:]))
	}
	offset, length := uint16(tagPreview), uint16(tagPreviewLength)
	if compression, _ := d.number(tagCompression); d.entry(offset) == nil && !d.isSensor() &&
		(compression == compressionOldJPEG || compression == compressionJPEG) {
		offset, length = tagStripOffsets, tagStripLengths
	}
	from, hasFrom := d.number(offset)
	size, hasSize := d.number(length)
	if !hasFrom || !hasSize {
		return 0
	}
	return uint64(from) + uint64(size)
}

// piecesOf gives, in order, the places of the strips and tiles that are only parts of a
// picture: one that is a JPEG is no preview.
func piecesOf(data []byte) []uint32 {
	var found []uint32
	for directory := range directoriesOf(data) {
		for _, tag := range []uint16{tagStripOffsets, tagTileOffsets} {
			if places := directory.numbers(tag, maximumPieces-len(found)); len(places) > 1 {
				found = append(found, places...)
			}
		}
	}
	slices.Sort(found)
	return found
}

// isCutRAW reports whether a RAW file ends before a preview that it names, or inside a
// box.
func isCutRAW(data []byte) bool {
	length := uint64(len(data))
	if Prefixed("FUJIFILMCCD-RAW")(data) && len(data) >= 92 {
		return uint64(big32(data[84:]))+uint64(big32(data[88:])) > length
	}
	for directory := range directoriesOf(data) {
		if directory.previewEnd() > length {
			return true
		}
	}
	if brands(data) == nil {
		return false
	}
	for at, read := uint64(0), 0; at+8 <= length && read < maximumEntries; read++ {
		size := uint64(big32(data[at:]))
		if size == 1 && at+16 <= length {
			size = binary.BigEndian.Uint64(data[at+8:])
		}
		if size < 8 {
			break // up to the end, or no box
		}
		if size > length-at {
			return true
		}
		at += size
	}
	return false
}
