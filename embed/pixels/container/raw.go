package container

import (
	"bytes"
	"slices"

	"mekiki/embed/pixels/jpegfix"
)

// A camera's RAW file holds what the sensor saw, for programs that develop it, and a
// JPEG of the picture as the camera would have made it, mostly in full size. That one
// is read: the largest JPEG in the file. Where it lies each maker says otherwise, so it
// is looked for by what it is.

// cutRAW is what is said of a RAW file that ends early.
const cutRAW = "the file ends early: the largest preview that is whole was read"

// Tags of TIFF directories that tell RAW files.
const (
	tagSubDirectories     = 330
	tagDNGVersion         = 50706
	photometricCFA        = 32803 // a colour filter array, TIFF/EP
	photometricLinear     = 34892 // DNG
	compressionNikon      = 34713
	compressionSony       = 32767
	compressionPentax     = 65535
	compressionSamsung    = 32770
	compressionSamsungTwo = 32772
)

// IsRAW tells the RAW files of cameras: by their own signatures, or by what the
// directories of a TIFF say.
func IsRAW(data []byte) bool {
	switch {
	case Prefixed("IIRO", "IIRS", "MMOR", "IIU\x00", "FUJIFILMCCD-RAW")(data):
		return true
	case Prefixed("II*\x00")(data) && len(data) >= 10 && string(data[8:10]) == "CR":
		return true
	case Prefixed("II*\x00", "MM\x00*")(data):
		return hasSensorData(data)
	}
	found := brands(data)
	return len(found) > 0 && found[0] == "crx "
}

// hasSensorData reports whether one of a TIFF's directories is of a sensor's data.
func hasSensorData(data []byte) bool {
	for directory := range directoriesOf(data) {
		if directory.isSensor() {
			return true
		}
	}
	return false
}

func isSensorCompression(value uint32) bool {
	switch value {
	case compressionNikon, compressionSony, compressionPentax, compressionSamsung, compressionSamsungTwo:
		return true
	}
	return false
}

// InspectRAW finds the largest JPEG in a file. Its header is the file's.
func InspectRAW(data []byte) (Header, error) {
	var best Header
	pieces, isCut := piecesOf(data), isCutRAW(data)
	at, looked := 1, 0
	for looked < maximumLooks*len(data) {
		begin := bytes.Index(data[min(at, len(data)):], []byte("\xFF\xD8\xFF"))
		if begin < 0 {
			break
		}
		at += begin
		end, ok := jpegEnd(data, at)
		looked += end - at
		if !ok {
			if !isCut && end == len(data) {
				looked += end - at
				_, err := InspectJPEG(data[at:])
				isCut = err == nil
			}
			at += 3
			continue
		}
		if _, isPiece := slices.BinarySearch(pieces, uint32(at)); isPiece {
			at = end
			continue
		}
		if h, err := InspectJPEG(data[at:end]); err == nil && int64(h.Width)*int64(h.Height) > int64(best.Width)*int64(best.Height) {
			best = h
			best.Frame.Data = data[at:end:end]
		}
		at = end
	}
	if isCut {
		best.Damage = cutRAW
	}
	if best.Frame.Data == nil && isCut {
		return Header{}, Corrupt("the file ends before its preview does")
	}
	if best.Frame.Data == nil {
		return Header{}, Unsupported("no preview that can be read is in this RAW file")
	}
	if turned := rawOrientation(data); turned != 0 {
		best.Orientation = turned
	}
	return best, nil
}

// rawOrientation gives what the RAW file itself says of how the camera was held, or 0:
// most previews do not say it again.
func rawOrientation(data []byte) int {
	if Prefixed("II", "MM")(data) && len(data) > 8 {
		return exifOrientation(data) // whatever signature the maker has in the place of TIFF's
	}
	// CR3 has its first directory in a box of its own.
	head := data[:min(len(data), 1<<16)]
	if at := bytes.Index(head, []byte("CMT1")); at >= 0 {
		return exifOrientation(head[at+4:])
	}
	return 0
}

// jpegEnd gives the place behind the JPEG that begins somewhere, or where it turns out
// to be none.
func jpegEnd(data []byte, at int) (end int, ok bool) {
	for at += 2; at+4 <= len(data); {
		if data[at] != 0xFF {
			return at, false
		}
		marker := data[at+1]
		switch {
		case marker == 0xFF:
			at++
			continue
		case marker == jpegfix.EOI:
			return at + 2, true
		case marker < jpegfix.SOF0 || marker >= jpegfix.RST0 && marker <= jpegfix.SOI:
			return at, false
		}
		length := int(big16(data[at+2:]))
		if length < 2 || at+2+length > len(data) {
			return at, false
		}
		at += 2 + length
		if marker != jpegfix.SOS {
			continue
		}
		for { // up to the next marker that is none of the coded data's
			next := bytes.IndexByte(data[at:], 0xFF)
			if next < 0 || at+next+1 >= len(data) {
				return len(data), false
			}
			at += next
			if marker := data[at+1]; marker != 0 && (marker < jpegfix.RST0 || marker > jpegfix.RST7) && marker != 0xFF {
				break
			}
			at++
			if data[at] != 0xFF {
				at++
			}
		}
	}
	return at + 2, at+2 <= len(data) && data[at] == 0xFF && data[at+1] == jpegfix.EOI
}
