package metadata

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

const iptcMarker = 0x1C

// Datasets of IPTC's application record that are read.
const (
	iptcTitle       = 5
	iptcKeyword     = 25
	iptcDateCreated = 55
	iptcTimeCreated = 60
	iptcDigitalDate = 62
	iptcDigitalTime = 63
	iptcCreator     = 80
	iptcCity        = 90
	iptcSublocation = 92
	iptcState       = 95
	iptcCountry     = 101
	iptcHeadline    = 105
	iptcCopyright   = 116
	iptcCaption     = 120
)

// iptcKeywordBytes is how long the standard lets a keyword be: programs cut there.
const iptcKeywordBytes = 64

// iptc holds the texts of the application record, by number.
type iptc struct{ texts map[uint8][]string }

// first gives the first text of a number, or "".
func (i *iptc) first(number uint8) string {
	if list := i.texts[number]; len(list) > 0 {
		return list[0]
	}
	return ""
}

// read takes in a block of datasets. Of several blocks the first that says anything
// counts: the others are what an earlier program left.
func (i *iptc) read(data []byte) {
	if len(i.texts) > 0 {
		return
	}
	type dataset struct {
		number uint8
		value  []byte
	}
	var found []dataset
	unicode, plain := false, true
	for len(data) >= 5 && data[0] == iptcMarker && len(found) < maxDatasets {
		record, number, size := data[1], data[2], int(binary.BigEndian.Uint16(data[3:]))
		data = data[5:]
		if size&0x8000 != 0 { // the length has a length
			digits := size & 0x7FFF
			if digits > 4 || digits > len(data) {
				break
			}
			size = 0
			for _, digit := range data[:digits] {
				size = size<<8 | int(digit)
			}
			data = data[digits:]
		}
		if size > len(data) {
			break
		}
		value := data[:size]
		data = data[size:]
		switch {
		case record == 1 && number == 90:
			unicode = bytes.Equal(value, []byte("\x1b%G")) || bytes.HasPrefix(value, []byte("\x1b%/"))
		case record == 2:
			found = append(found, dataset{number, value})
			plain = plain && utf8.Valid(value)
		}
	}
	if i.texts == nil {
		i.texts = map[uint8][]string{}
	}
	for _, each := range found {
		decode := decodeLatin
		if unicode || plain {
			decode = decodeText
		}
		i.texts[each.number] = append(i.texts[each.number], decode(each.value))
	}
}

// date joins a date and the time of another dataset.
func (i *iptc) date(date, clock uint8) (moment, bool) {
	day := i.first(date)
	if hour := i.first(clock); hour != "" {
		if both, ok := parseDate(day + "T" + hour); ok {
			return both, true
		}
	}
	return parseDate(day)
}

// iptcOfResources finds the IPTC blocks among Photoshop's image resources.
func iptcOfResources(data []byte) (found [][]byte) {
	data = bytes.TrimPrefix(data, []byte("Photoshop 3.0\x00"))
	for len(data) >= 12 && len(found) < maxBlocks {
		if kind := string(data[:4]); kind != "8BIM" && kind != "PHUT" && kind != "DCSR" && kind != "AgHg" && kind != "MeSa" {
			return found
		}
		number, name := binary.BigEndian.Uint16(data[4:]), int(data[6])
		start := 6 + (1+name+1)&^1
		if start+4 > len(data) {
			return found
		}
		size := uint64(binary.BigEndian.Uint32(data[start:]))
		data = data[start+4:]
		if size > uint64(len(data)) {
			return found
		}
		if number == 0x0404 {
			found = append(found, data[:size])
		}
		data = data[min(size+size&1, uint64(len(data))):]
	}
	return found
}
