package catalog

import (
	"encoding/binary"
	"math"

	"mekiki/index"
)

// The words in a picture are a field of its record.

const (
	ocrModel = iota + 1
	ocrLine
)

const (
	lineText = iota + 1
	lineCorners
	lineScore
)

func encodeOCR(e *encoder, o *index.OCR) {
	e.text(ocrModel, o.Model)
	for _, line := range o.Lines {
		e.nested(ocrLine, func(e *encoder) {
			e.text(lineText, line.Text)
			var corners [8 * binary.MaxVarintLen64]byte
			buffer := corners[:0]
			for _, corner := range line.Corners {
				buffer = binary.AppendUvarint(binary.AppendUvarint(buffer, uint64(corner.X)), uint64(corner.Y))
			}
			e.bytes(lineCorners, buffer)
			e.float32(lineScore, line.Score)
		})
	}
}

// decodeOCR reads what encodeOCR writes, and nothing beyond the limits.
func decodeOCR(data string) (*index.OCR, error) {
	o := &index.OCR{}
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case ocrModel:
			return value.text(&o.Model)
		case ocrLine:
			if len(o.Lines) == index.MaximumOCRLines {
				return ErrShort
			}
			line, err := decodeLine(string(value))
			o.Lines = append(o.Lines, line)
			return err
		}
		return nil
	})
	if err == nil && o.Check() != nil {
		err = ErrShort
	}
	return o, err
}

func decodeLine(data string) (index.OCRLine, error) {
	var line index.OCRLine
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case lineText:
			return value.text(&line.Text)
		case lineCorners:
			return decodeCorners(value, &line.Corners)
		case lineScore:
			return value.float32(&line.Score)
		}
		return nil
	})
	return line, err
}

func decodeCorners(value field, corners *[4]index.Pixel) error {
	for i := range corners {
		for _, coordinate := range []*int{&corners[i].X, &corners[i].Y} {
			number, n := uvarint(string(value))
			if n <= 0 || number > math.MaxInt32 {
				return ErrShort
			}
			*coordinate, value = int(number), value[n:]
		}
	}
	if len(value) > 0 {
		return ErrShort
	}
	return nil
}
