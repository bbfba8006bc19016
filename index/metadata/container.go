package metadata

import (
	"bytes"
	"encoding/binary"
)

// blocks are the parts of a file that hold metadata. They are slices of the file where
// it holds them in one piece.
type blocks struct {
	exif []exifBlock
	iptc [][]byte
	xmp  [][]byte
	text texts
}

type exifBlock struct {
	data []byte
	// directory is what the block's first directory is.
	directory directory
}

func (b *blocks) addEXIF(data []byte, directory directory) {
	if len(b.exif) < maxBlocks && len(data) >= 8 {
		b.exif = append(b.exif, exifBlock{data, directory})
	}
}

func (b *blocks) addIPTC(data []byte) {
	if len(b.iptc) < maxBlocks && len(data) <= maxBlockBytes {
		b.iptc = append(b.iptc, data)
	}
}

func (b *blocks) addXMP(data []byte) {
	if len(b.xmp) < maxBlocks && len(data) > 0 {
		b.xmp = append(b.xmp, data[:min(len(data), maxBlockBytes)])
	}
}

// blocksOf finds the blocks of a file by what it begins with.
func blocksOf(data []byte) *blocks {
	b := &blocks{}
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xD8}):
		b.readJPEG(data)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		b.readPNG(data)
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		b.readWebP(data)
	case bytes.HasPrefix(data, []byte("GIF8")):
		b.readGIF(data)
	case isTIFF(data):
		b.addEXIF(data, mainDirectory)
	case bytes.HasPrefix(data, []byte("FUJIFILMCCD-RAW")) && len(data) >= 92:
		at, size := uint64(binary.BigEndian.Uint32(data[84:])), uint64(binary.BigEndian.Uint32(data[88:]))
		if at < uint64(len(data)) && size <= uint64(len(data))-at {
			b.readJPEG(data[at : at+size])
		}
	case len(data) >= 12 && (string(data[4:8]) == "ftyp" || string(data[4:8]) == "JXL "):
		b.readBoxes(data)
	}
	return b
}

// isTIFF tells TIFF files and the raw files that are such: DNG, NEF, CR2, ARW, ORF, RW2.
func isTIFF(data []byte) bool {
	if len(data) < 8 {
		return false
	}
	switch string(data[:4]) {
	case "II*\x00", "MM\x00*", "IIU\x00", "IIRO", "IIRS", "MMOR":
		return true
	}
	return false
}

// readWebP walks the chunks of a RIFF file.
func (b *blocks) readWebP(data []byte) {
	for at, n := uint64(12), 0; at+8 <= uint64(len(data)) && n < maxSegments; n++ {
		kind, size := string(data[at:at+4]), uint64(binary.LittleEndian.Uint32(data[at+4:]))
		at += 8
		if size > uint64(len(data))-at {
			size = uint64(len(data)) - at
		}
		switch kind {
		case "EXIF":
			b.addEXIF(data[at:at+size], mainDirectory)
		case "XMP ", "XMP\x00":
			b.addXMP(data[at : at+size])
		}
		at += size + size&1
	}
}

// readGIF walks the blocks of a GIF: comments, and the extension that holds XMP.
func (b *blocks) readGIF(data []byte) {
	if len(data) < 13 {
		return
	}
	at := 13 + gifTable(data[10])
	for n := 0; n < maxSegments && at+2 <= len(data); n++ {
		switch {
		case data[at] == 0x2C && at+10 <= len(data): // a picture
			at += 10 + gifTable(data[at+9]) + 1
			_, at = gifSubBlocks(data, at, 0)
		case data[at] == 0x21 && data[at+1] == 0xFE:
			var comment []byte
			comment, at = gifSubBlocks(data, at+2, maxLongText)
			b.text.add("comment", decodeText(comment))
		case data[at] == 0x21 && bytes.HasPrefix(data[at+2:], []byte("\x0bXMP DataXMP")):
			packet := data[at+14:]
			end := bytes.Index(packet, []byte{1, 0xFF, 0xFE, 0xFD})
			if end < 0 {
				return
			}
			b.addXMP(packet[:end])
			at += 14 + end + 258
		case data[at] == 0x21:
			_, at = gifSubBlocks(data, at+2, 0)
		default:
			return
		}
	}
}

// gifTable gives the bytes of a colour table, by the byte that says whether there is one.
func gifTable(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// gifSubBlocks joins a chain of sub-blocks up to a limit, and gives where it ends.
func gifSubBlocks(data []byte, at, limit int) (joined []byte, end int) {
	for at < len(data) && data[at] != 0 {
		size := int(data[at])
		if at+1+size > len(data) {
			return joined, len(data)
		}
		if len(joined)+size <= limit {
			joined = append(joined, data[at+1:at+1+size]...)
		}
		at += 1 + size
	}
	return joined, at + 1
}
