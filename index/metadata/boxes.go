package metadata

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/andybalholm/brotli"
)

// box is one of an ISO base media file: HEIC, AVIF, CR3, JPEG XL.
type box struct {
	kind string
	data []byte
}

// boxesOf gives the boxes that stand in data one after the other.
func boxesOf(data []byte) (found []box) {
	for len(data) >= 8 && len(found) < maxSegments {
		size, header := uint64(binary.BigEndian.Uint32(data)), uint64(8)
		switch size {
		case 0:
			size = uint64(len(data))
		case 1:
			if len(data) < 16 {
				return found
			}
			size, header = binary.BigEndian.Uint64(data[8:]), 16
		}
		if size < header || size > uint64(len(data)) {
			return found
		}
		found = append(found, box{string(data[4:8]), data[header:size]})
		data = data[size:]
	}
	return found
}

// Boxes of CR3 with metadata, by the UUIDs that Canon and Adobe gave them.
const (
	canonBox = "\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48"
	xmpBox   = "\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac"
)

// readBoxes looks for metadata in the boxes of a file.
func (b *blocks) readBoxes(data []byte) {
	for _, outer := range boxesOf(data) {
		switch outer.kind {
		case "meta":
			if len(outer.data) >= 4 {
				b.readItems(data, outer.data[4:])
			}
		case "moov":
			for _, inner := range boxesOf(outer.data) {
				if inner.kind == "uuid" && bytes.HasPrefix(inner.data, []byte(canonBox)) {
					b.readCanon(inner.data[16:])
				}
			}
		case "uuid":
			if bytes.HasPrefix(outer.data, []byte(xmpBox)) {
				b.addXMP(outer.data[16:])
			}
		case "Exif", "xml ": // of JPEG XL
			b.addJXL(outer)
		case "brob":
			if len(outer.data) > 4 && len(b.exif) < maxBlocks && len(b.xmp) < maxBlocks {
				b.addJXL(box{string(outer.data[:4]), decompressed(outer.data[4:])})
			}
		}
	}
}

// addJXL takes a box of JPEG XL that may hold metadata.
func (b *blocks) addJXL(found box) {
	switch found.kind {
	case "Exif":
		b.addItem("Exif", found.data)
	case "xml ":
		b.addXMP(found.data)
	}
}

// decompressed returns what a box of JPEG XL was before Brotli (RFC 7932), as far as
// it is whole.
func decompressed(data []byte) []byte {
	whole, _ := io.ReadAll(io.LimitReader(brotli.NewReader(bytes.NewReader(data)), maxBlockBytes))
	return whole
}

// readCanon takes the directories of a CR3, each a TIFF stream of its own.
func (b *blocks) readCanon(data []byte) {
	for _, inner := range boxesOf(data) {
		switch inner.kind {
		case "CMT1":
			b.addEXIF(inner.data, mainDirectory)
		case "CMT2":
			b.addEXIF(inner.data, photoDirectory)
		case "CMT4":
			b.addEXIF(inner.data, gpsDirectory)
		}
	}
}

// readItems finds the items of a HEIC or AVIF file that hold EXIF or XMP: iinf says
// which they are, iloc where.
func (b *blocks) readItems(file, meta []byte) {
	kinds := map[uint32]string{}
	var locations, inside []byte
	for _, inner := range boxesOf(meta) {
		switch inner.kind {
		case "iinf":
			kinds = itemKinds(inner.data)
		case "iloc":
			locations = inner.data
		case "idat":
			inside = inner.data
		}
	}
	if len(kinds) > 0 && len(locations) > 0 {
		b.locate(locations, kinds, file, inside)
	}
}

// itemKinds gives the items that hold metadata by number.
func itemKinds(data []byte) map[uint32]string {
	kinds := map[uint32]string{}
	if len(data) < 8 {
		return kinds
	}
	start := 6
	if data[0] > 0 {
		start = 8
	}
	for _, entry := range boxesOf(data[start:]) {
		if entry.kind != "infe" || len(entry.data) < 4 || entry.data[0] < 2 {
			continue
		}
		r := reader{data: entry.data[4:]}
		width := 2
		if entry.data[0] >= 3 {
			width = 4
		}
		number := uint32(r.number(width))
		r.number(2) // protection
		kind := string(r.take(4))
		switch {
		case kind == "Exif":
			kinds[number] = "Exif"
		case kind == "mime":
			_, rest, _ := bytes.Cut(r.data, []byte{0}) // its name
			if bytes.HasPrefix(rest, []byte("application/rdf+xml")) {
				kinds[number] = "XMP"
			}
		}
	}
	return kinds
}

// locate reads iloc and adds the items that it finds.
func (b *blocks) locate(data []byte, kinds map[uint32]string, file, inside []byte) {
	r := reader{data: data}
	version := r.number(1)
	r.number(3)
	sizes := r.number(2)
	offsetSize, lengthSize := int(sizes>>12), int(sizes>>8&15)
	baseSize, indexSize := int(sizes>>4&15), int(sizes&15)
	if version == 0 {
		indexSize = 0
	}
	width := 2
	if version >= 2 {
		width = 4
	}
	for count := r.number(width); count > 0 && !r.short; count-- {
		number, method := uint32(r.number(width)), uint64(0)
		if version >= 1 {
			method = r.number(2) & 15
		}
		r.number(2)
		base := r.number(baseSize)
		source := file
		if method == 1 {
			source = inside
		}
		kind := kinds[number]
		var item []byte
		extents := r.number(2)
		for ; extents > 0 && !r.short; extents-- {
			r.number(indexSize)
			offset, length := r.number(offsetSize), r.number(lengthSize)
			at := base + offset
			if kind == "" || method > 1 || at < base || at > uint64(len(source)) || length > uint64(len(source))-at {
				continue
			}
			if length == 0 {
				length = uint64(len(source)) - at
			}
			if uint64(len(item))+length <= maxBlockBytes {
				item = append(item, source[at:at+length]...)
			}
		}
		b.addItem(kind, item)
	}
}

// addItem adds an item; EXIF begins with how far its stream is from there.
func (b *blocks) addItem(kind string, item []byte) {
	switch kind {
	case "XMP":
		b.addXMP(item)
	case "Exif":
		if len(item) < 4 {
			return
		}
		if skip := uint64(binary.BigEndian.Uint32(item)); skip <= uint64(len(item)-4) {
			b.addEXIF(item[4+skip:], mainDirectory)
		}
	}
}

// reader takes big-endian numbers of any width up to eight bytes.
type reader struct {
	data []byte
	// short says that more was asked for than there is.
	short bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.data) {
		r.data, r.short = nil, true
		return nil
	}
	taken := r.data[:n]
	r.data = r.data[n:]
	return taken
}

func (r *reader) number(width int) (number uint64) {
	if width > 8 {
		r.short = true
		return 0
	}
	for _, digit := range r.take(width) {
		number = number<<8 | uint64(digit)
	}
	return number
}
