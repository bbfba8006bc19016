package container

import "hash/crc32"

// pngEnd is the chunk that ends a PNG.
const pngEnd = "\x00\x00\x00\x00IEND\xae\x42\x60\x82"

// PNGWithoutDamagedExtras gives the file without its ancillary chunks when the checksum
// of one is wrong, and with its end when the file stops behind the pixels: none of these
// is needed to show the picture, but the decoder refuses the whole file for one. Any
// other file is given as it is. Transparency, which changes the picture, counts as
// needed.
func PNGWithoutDamagedExtras(data []byte) []byte {
	var extras [][2]int // where they begin and end
	isDamaged, hasPixels, hasEnd, at := false, false, false, len(PNGSignature)
	for !hasEnd && at+12 <= len(data) {
		kind, end := data[at+4:at+8], int64(at)+12+int64(big32(data[at:]))
		isExtra := kind[0]&0x20 != 0 && string(kind) != "tRNS"
		if end > int64(len(data)) {
			if !isExtra {
				return data
			}
			break
		}
		if isExtra {
			extras = append(extras, [2]int{at, int(end)})
			isDamaged = isDamaged || crc32.ChecksumIEEE(data[at+4:end-4]) != big32(data[end-4:])
		}
		hasPixels = hasPixels || string(kind) == "IDAT"
		hasEnd = string(kind) == "IEND"
		at = int(end)
	}
	isCut := hasPixels && !hasEnd
	if !isDamaged && !isCut {
		return data
	}
	kept, from := make([]byte, 0, len(data)+len(pngEnd)), 0
	for _, extra := range extras {
		kept = append(kept, data[from:extra[0]]...)
		from = extra[1]
	}
	kept = append(kept, data[from:at]...)
	if isCut {
		kept = append(kept, pngEnd...)
	}
	return kept
}
