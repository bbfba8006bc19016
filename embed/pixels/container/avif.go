package container

import (
	"bytes"
	"image"
)

// InspectAVIF reads the properties of the primary picture, or of the first track of
// an animation (AV1 Image File Format 1.1). Cropping and turning are left to us: the
// clean aperture first, then the rotation, then the mirror.
func InspectAVIF(data []byte) (Header, error) {
	h := Header{}
	item := readHEIFItem(data)
	if track := readAVIFTrack(data); brands(data)[0] == "avis" && track.width > 0 {
		track.largest = max(item.largest, track.largest)
		track.alpha = track.alpha || item.alpha
		item = track
	}
	if item.width == 0 || item.height == 0 {
		return h, Corrupt("it does not say how large its picture is")
	}
	h.Stored, h.Crop = image.Pt(item.width, item.height), item.crop
	h.Width, h.Height = item.width, item.height
	if !h.Crop.Empty() {
		h.Width, h.Height = h.Crop.Dx(), h.Crop.Dy()
	}
	h.Orientation = item.orientation()
	h.Largest = item.largest
	cost := avifPixel
	if hasDeepAV1(data) {
		cost = deepAVIFPixel
	}
	if item.alpha {
		cost.usual += cost.usual / 2
		cost.most += cost.most / 2
	}
	h.Working, h.Most = sandboxMemory(len(data), item.largest, cost)
	return h, nil
}

// readAVIFTrack finds the first track that has a size (ISO/IEC 14496-12, section
// 8.3.2).
func readAVIFTrack(data []byte) heifItem {
	var item heifItem
	rest := findBox(data, "moov")
	item.alpha = bytes.Contains(rest, []byte("auxv"))
	for {
		name, content, after, ok := nextBox(rest)
		if !ok {
			return item
		}
		rest = after
		header := findBox(content, "tkhd")
		if name != "trak" || len(header) < 84 {
			continue
		}
		size := header[len(header)-8:] // 16 bits of fraction
		width, height := int(big32(size)>>16), int(big32(size[4:])>>16)
		if width > 0 && height > 0 && item.width == 0 {
			item.width, item.height = width, height
		}
		item.largest = max(item.largest, int64(width)*int64(height))
	}
}

// hasDeepAV1 reports whether a picture in the file has more than 8 bits a sample, by
// the configurations of its codec.
func hasDeepAV1(data []byte) bool {
	const highBitDepth = 0x40
	for {
		at := bytes.Index(data, []byte("av1C"))
		if at < 0 || at+7 > len(data) {
			return false
		}
		if data[at+6]&highBitDepth != 0 {
			return true
		}
		data = data[at+4:]
	}
}
