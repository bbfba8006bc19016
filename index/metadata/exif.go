package metadata

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// directory says which of EXIF's directories a number belongs to: the same number
// means different things in each.
type directory uint8

const (
	mainDirectory directory = iota
	photoDirectory
	gpsDirectory
)

// Tags of EXIF that are read.
const (
	tagImageDescription   = 0x010E
	tagMake               = 0x010F
	tagModel              = 0x0110
	tagOrientation        = 0x0112
	tagModifyDate         = 0x0132
	tagArtist             = 0x013B
	tagXMP                = 0x02BC
	tagRating             = 0x4746
	tagRatingPercent      = 0x4749
	tagCopyright          = 0x8298
	tagIPTC               = 0x83BB
	tagResources          = 0x8649
	tagPhotoDirectory     = 0x8769
	tagGPSDirectory       = 0x8825
	tagDateTimeOriginal   = 0x9003
	tagCreateDate         = 0x9004
	tagOffsetTime         = 0x9010
	tagOffsetTimeOriginal = 0x9011
	tagOffsetTimeDigital  = 0x9012
	tagUserComment        = 0x9286
	tagSubSecTime         = 0x9290
	tagSubSecOriginal     = 0x9291
	tagSubSecDigital      = 0x9292
	tagXPTitle            = 0x9C9B
	tagXPComment          = 0x9C9C
	tagXPAuthor           = 0x9C9D
	tagXPKeywords         = 0x9C9E
	tagXPSubject          = 0x9C9F
	tagLensModel          = 0xA434
	tagLensDNG            = 0xC630
	tagCameraModelDNG     = 0xC614

	tagGPSLatitudeRef  = 1
	tagGPSLatitude     = 2
	tagGPSLongitudeRef = 3
	tagGPSLongitude    = 4
	tagGPSTime         = 7
	tagGPSDate         = 29
)

// exif is what a file's EXIF says. Of a tag that is there twice the first counts.
type exif struct {
	values   map[exifKey]exifValue
	embedded struct{ xmp, iptc [][]byte }
	order    binary.ByteOrder
}

type exifKey struct {
	directory directory
	tag       uint16
}

// exifValue is one entry of a directory: its type, and the bytes of all its elements.
type exifValue struct {
	kind  uint16
	data  []byte
	order binary.ByteOrder
}

// exifSize gives the bytes of an element of each type of EXIF, and of BigTIFF's.
func exifSize(kind uint16) uint64 {
	switch kind {
	case 1, 2, 6, 7, 129:
		return 1
	case 3, 8:
		return 2
	case 4, 9, 11, 13:
		return 4
	case 5, 10, 12, 16, 17, 18:
		return 8
	}
	return 0
}

// read takes in a TIFF stream whose first directory is of a kind.
func (e *exif) read(data []byte, first directory) {
	data = bytes.TrimPrefix(data, []byte("Exif\x00\x00"))
	if len(data) < 8 {
		return
	}
	var order binary.ByteOrder
	switch string(data[:2]) {
	case "II":
		order = binary.LittleEndian
	case "MM":
		order = binary.BigEndian
	default:
		return
	}
	if e.values == nil {
		e.values, e.order = map[exifKey]exifValue{}, order
	}
	e.readDirectory(data, order, uint64(order.Uint32(data[4:])), first)
	if first != mainDirectory {
		return
	}
	for tag, directory := range map[uint16]directory{tagPhotoDirectory: photoDirectory, tagGPSDirectory: gpsDirectory} {
		if at, ok := e.values[exifKey{mainDirectory, tag}].integer(); ok && at > 0 {
			e.readDirectory(data, order, uint64(at), directory)
		}
	}
}

func (e *exif) readDirectory(data []byte, order binary.ByteOrder, at uint64, directory directory) {
	size := uint64(len(data))
	if at < 8 || at+2 > size {
		return
	}
	count := min(uint64(order.Uint16(data[at:])), maxDirectoryTags)
	for entry := at + 2; count > 0 && entry+12 <= size; count, entry = count-1, entry+12 {
		tag, kind := order.Uint16(data[entry:]), order.Uint16(data[entry+2:])
		length := exifSize(kind) * uint64(order.Uint32(data[entry+4:]))
		start := entry + 8
		if length > 4 {
			start = uint64(order.Uint32(data[start:]))
		}
		if length == 0 || length > maxBlockBytes || start > size || length > size-start {
			continue
		}
		key := exifKey{directory, tag}
		if _, twice := e.values[key]; twice {
			continue
		}
		value := exifValue{kind, data[start : start+length], order}
		e.values[key] = value
		if directory == mainDirectory {
			e.embed(tag, value)
		}
	}
}

// embed keeps the blocks that TIFF files hold in tags.
func (e *exif) embed(tag uint16, value exifValue) {
	switch tag {
	case tagXMP:
		e.embedded.xmp = append(e.embedded.xmp, value.data)
	case tagIPTC:
		data := value.data
		if value.kind == 4 && value.order == binary.LittleEndian && len(data) >= 4 && data[0] != iptcMarker && data[3] == iptcMarker {
			data = swapped(data) // written as numbers of another byte order
		}
		e.embedded.iptc = append(e.embedded.iptc, data)
	case tagResources:
		e.embedded.iptc = append(e.embedded.iptc, iptcOfResources(value.data)...)
	}
}

func swapped(data []byte) []byte {
	turned := make([]byte, 0, len(data))
	for ; len(data) >= 4; data = data[4:] {
		turned = append(turned, data[3], data[2], data[1], data[0])
	}
	return turned
}

func (e *exif) value(directory directory, tag uint16) exifValue {
	return e.values[exifKey{directory, tag}]
}

// text gives the text of a tag, wherever it stands: some programs write the tags of
// one directory into another.
func (e *exif) text(tag uint16) string {
	if text := e.value(mainDirectory, tag).text(); text != "" {
		return text
	}
	return e.value(photoDirectory, tag).text()
}

// wide gives a text that Windows wrote, in UTF-16.
func (e *exif) wide(tag uint16) string {
	value := e.value(mainDirectory, tag)
	switch value.kind {
	case 1, 7:
		return decodeUTF16(value.data[:min(len(value.data), maxTextBytes)], binary.LittleEndian)
	case 2:
		return value.text()
	}
	return ""
}

// text gives a text, up to its first zero; "" for numbers.
func (v exifValue) text() string {
	switch v.kind {
	case 1, 2, 7, 129:
		text, _, _ := bytes.Cut(v.data[:min(len(v.data), maxTextBytes)], []byte{0})
		return strings.TrimSpace(decodeText(text))
	}
	return ""
}

// integer gives the first number, if it is a whole one.
func (v exifValue) integer() (int64, bool) {
	switch {
	case (v.kind == 1 || v.kind == 7) && len(v.data) >= 1:
		return int64(v.data[0]), true
	case v.kind == 6 && len(v.data) >= 1:
		return int64(int8(v.data[0])), true
	case v.kind == 3 && len(v.data) >= 2:
		return int64(v.order.Uint16(v.data)), true
	case v.kind == 8 && len(v.data) >= 2:
		return int64(int16(v.order.Uint16(v.data))), true
	case (v.kind == 4 || v.kind == 13) && len(v.data) >= 4:
		return int64(v.order.Uint32(v.data)), true
	case v.kind == 9 && len(v.data) >= 4:
		return int64(int32(v.order.Uint32(v.data))), true
	case v.kind == 2:
		number, ok := parseNumber(v.text())
		return int64(number), ok && number == math.Trunc(number) && math.Abs(number) < 1<<31
	}
	return 0, false
}

// numbers gives up to three numbers of any type; nil where one of them is none.
func (v exifValue) numbers() []float64 {
	size := int(exifSize(v.kind))
	if size == 0 || v.kind == 2 || v.kind == 7 {
		return nil
	}
	var numbers []float64
	for data := v.data; len(data) >= size && len(numbers) < 3; data = data[size:] {
		number, ok := exifValue{v.kind, data[:size], v.order}.number()
		if !ok {
			return nil
		}
		numbers = append(numbers, number)
	}
	return numbers
}

func (v exifValue) number() (float64, bool) {
	switch v.kind {
	case 5:
		above, below := v.order.Uint32(v.data), v.order.Uint32(v.data[4:])
		return float64(above) / float64(below), below != 0
	case 10:
		above, below := int32(v.order.Uint32(v.data)), int32(v.order.Uint32(v.data[4:]))
		return float64(above) / float64(below), below != 0
	case 11:
		number := float64(math.Float32frombits(v.order.Uint32(v.data)))
		return number, !math.IsNaN(number) && !math.IsInf(number, 0)
	case 12:
		number := math.Float64frombits(v.order.Uint64(v.data))
		return number, !math.IsNaN(number) && !math.IsInf(number, 0)
	}
	number, ok := v.integer()
	return float64(number), ok
}

// comment gives the user's comment, whose first eight bytes name its encoding.
func (e *exif) comment() string {
	value := e.value(photoDirectory, tagUserComment)
	data := value.data[:min(len(value.data), maxTextBytes)]
	if value.kind == 2 || len(data) < 8 {
		return value.text()
	}
	coding, text := strings.TrimRight(string(data[:8]), "\x00 "), data[8:]
	switch coding {
	case "UNICODE", "Unicode":
		return strings.TrimSpace(decodeUTF16(text, guessUTF16(text, e.order)))
	case "JIS":
		return strings.TrimSpace(strings.TrimRight(decodeJIS(text), "\x00"))
	case "ASCII", "":
		text, _, _ = bytes.Cut(text, []byte{0})
		return strings.TrimSpace(decodeText(text))
	}
	return value.text() // without the eight bytes that should be there
}

// date gives a date with its fraction of a second and its zone.
func (e *exif) date(tag, fraction, zone uint16) (moment, bool) {
	text := e.text(tag)
	taken, ok := parseDate(text)
	if !ok {
		return moment{}, false
	}
	if digits := e.text(fraction); digits != "" && taken.clock.Nanosecond() == 0 && isDigits(digits) {
		taken.clock = taken.clock.Add(fractionOf(digits))
	}
	if taken.offset == nil {
		taken.offset = parseZone(e.text(zone))
	}
	return taken, true
}

// position gives degrees, north and east. Without the letters that say which half of
// the globe is meant there is none.
func (e *exif) position() *position {
	north, okNorth := degreesOf(e.value(gpsDirectory, tagGPSLatitude), e.value(gpsDirectory, tagGPSLatitudeRef).text(), "N", "S")
	east, okEast := degreesOf(e.value(gpsDirectory, tagGPSLongitude), e.value(gpsDirectory, tagGPSLongitudeRef).text(), "E", "W")
	if !okNorth || !okEast {
		return nil
	}
	return positionAt(north, east)
}

func degreesOf(value exifValue, reference, positive, negative string) (float64, bool) {
	var degrees float64
	numbers := value.numbers()
	if len(numbers) == 0 {
		return 0, false
	}
	for i, number := range numbers {
		degrees += number / math.Pow(60, float64(i))
	}
	if reference == "" {
		return 0, false
	}
	switch strings.ToUpper(reference[:1]) {
	case positive:
		return degrees, true
	case negative:
		return -degrees, true
	}
	return 0, false
}

// gpsMoment is what the satellites' clock said, in UTC.
func (e *exif) gpsMoment() (moment, bool) {
	day, ok := parseDate(e.value(gpsDirectory, tagGPSDate).text())
	numbers := e.value(gpsDirectory, tagGPSTime).numbers()
	if !ok || len(numbers) < 3 {
		return moment{}, false
	}
	seconds := numbers[0]*3600 + numbers[1]*60 + numbers[2]
	if !(seconds >= 0 && seconds < 86401) {
		return moment{}, false
	}
	var utc time.Duration
	return moment{day.clock.Truncate(24 * time.Hour).Add(time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)), &utc}, true
}
