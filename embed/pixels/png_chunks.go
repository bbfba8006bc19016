package pixels

import "hash/crc32"

// pngWithoutDamagedExtras gives the file without its ancillary chunks when the checksum
// of one is wrong: none of them is needed to show the picture, but the decoder refuses
// the whole file for one. A file whose checksums are right, or whose chunks do not fit
// together, is given as it is. Transparency, which changes the picture, counts as needed.
func pngWithoutDamagedExtras(data []byte) []byte {
	var extras [][2]int // where they begin and end
	isDamaged := false
	for at := len(pngSignature); at+12 <= len(data); {
		end := int64(at) + 12 + int64(big32(data[at:]))
		if end > int64(len(data)) {
			break
		}
		kind, content := data[at+4:at+8], data[at+4:end-4]
		if isAncillary := kind[0]&0x20 != 0; isAncillary && string(kind) != "tRNS" {
			extras = append(extras, [2]int{at, int(end)})
			isDamaged = isDamaged || crc32.ChecksumIEEE(content) != big32(data[end-4:])
		}
		at = int(end)
	}
	if !isDamaged {
		return data
	}
	kept, from := make([]byte, 0, len(data)), 0
	for _, extra := range extras {
		kept = append(kept, data[from:extra[0]]...)
		from = extra[1]
	}
	return append(kept, data[from:]...)
}
