package metadata

import (
	"bytes"
	"encoding/binary"
	"slices"
)

const (
	xmpHeader      = "http://ns.adobe.com/xap/1.0/\x00"
	extendedHeader = "http://ns.adobe.com/xmp/extension/\x00"
	photoshop      = "Photoshop 3.0\x00"
)

// extended is a piece of an XMP packet too long for one segment.
type extended struct {
	group  string
	size   uint32
	offset uint32
	data   []byte
}

// readJPEG walks the segments before the picture.
func (b *blocks) readJPEG(data []byte) {
	var resources []byte
	var pieces []extended
	at := 2
	for n := 0; n < maxSegments && at+4 <= len(data); n++ {
		if data[at] != 0xFF { // bytes between the segments that belong to none
			skipped := bytes.IndexByte(data[at:], 0xFF)
			if skipped < 0 {
				break
			}
			at += skipped
			continue
		}
		marker := data[at+1]
		if marker == 0xFF { // filling
			at++
			continue
		}
		if marker == 0x01 || marker >= 0xD0 && marker <= 0xD8 {
			at += 2
			continue
		}
		size := int(binary.BigEndian.Uint16(data[at+2:]))
		if marker == 0xDA || marker == 0xD9 || size < 2 || at+2+size > len(data) {
			break
		}
		segment := data[at+4 : at+2+size]
		at += 2 + size
		switch {
		case marker == 0xE1 && bytes.HasPrefix(segment, []byte("Exif\x00")):
			b.addEXIFSegment(segment[min(6, len(segment)):])
		case marker == 0xE1 && bytes.HasPrefix(segment, []byte(extendedHeader)):
			if rest := segment[len(extendedHeader):]; len(rest) >= 40 && len(pieces) < maxSegments {
				pieces = append(pieces, extended{string(rest[:32]), binary.BigEndian.Uint32(rest[32:]), binary.BigEndian.Uint32(rest[36:]), rest[40:]})
			}
		case marker == 0xE1 && isXMPSegment(segment):
			b.addXMP(bytes.TrimPrefix(segment, []byte(xmpHeader)))
		case marker == 0xED && bytes.HasPrefix(segment, []byte(photoshop)) && len(resources)+len(segment) <= maxBlockBytes:
			resources = append(resources, segment[len(photoshop):]...)
		case marker == 0xFE:
			b.text.add("comment", decodeText(bytes.TrimRight(segment, "\x00")))
		}
	}
	for _, block := range iptcOfResources(resources) {
		b.addIPTC(block)
	}
	b.joinExtended(pieces)
}

// isXMPSegment tells a packet by its header or, since some programs write another or
// none, by how it begins.
func isXMPSegment(segment []byte) bool {
	if bytes.HasPrefix(segment, []byte(xmpHeader)) {
		return true
	}
	begin := segment[:min(len(segment), 128)]
	return bytes.Contains(begin, []byte("<?xpacket begin")) || bytes.Contains(begin, []byte("<x:xmpmeta")) || bytes.Contains(begin, []byte("<rdf:RDF"))
}

// addEXIFSegment adds a block, or what an earlier one was too long for.
func (b *blocks) addEXIFSegment(data []byte) {
	if last := len(b.exif) - 1; last >= 0 && !bytes.HasPrefix(data, []byte("II")) && !bytes.HasPrefix(data, []byte("MM")) {
		if before := b.exif[last].data; len(before)+len(data) <= maxBlockBytes {
			b.exif[last].data = append(before[:len(before):len(before)], data...)
		}
		return
	}
	b.addEXIF(data, mainDirectory)
}

// joinExtended puts the pieces of each long packet in order. A packet that lacks one
// is left out.
func (b *blocks) joinExtended(pieces []extended) {
	slices.SortStableFunc(pieces, func(a, b extended) int {
		if c := bytes.Compare([]byte(a.group), []byte(b.group)); c != 0 {
			return c
		}
		return int(int64(a.offset) - int64(b.offset))
	})
	for len(pieces) > 0 {
		group, size := pieces[0].group, pieces[0].size
		var packet []byte
		for len(pieces) > 0 && pieces[0].group == group {
			if uint32(len(packet)) == pieces[0].offset && len(packet)+len(pieces[0].data) <= maxBlockBytes {
				packet = append(packet, pieces[0].data...)
			}
			pieces = pieces[1:]
		}
		if uint32(len(packet)) == size {
			b.addXMP(packet)
		}
	}
}
