package segment

import (
	"encoding/binary"
	"fmt"
	"math"

	"mekiki/embed"
	"mekiki/index"
)

// The payload of a vectors block:
//
//	0 4 number of vectors
//	4 4 width
//	8   half-precision values, row after row
//
// All numbers are little-endian.
const vectorsHeader = 8

// EncodeVectors gives the payload for the parts.
func EncodeVectors(parts embed.Parts) []byte {
	payload := make([]byte, 0, vectorsHeader+2*len(parts.Values))
	payload = binary.LittleEndian.AppendUint32(payload, uint32(parts.Count))
	payload = binary.LittleEndian.AppendUint32(payload, uint32(parts.Width))
	for _, value := range parts.Values {
		payload = binary.LittleEndian.AppendUint16(payload, halfOf(value))
	}
	return payload
}

// DecodeVectors reads what encodeVectors wrote.
func DecodeVectors(payload []byte) (embed.Parts, error) {
	count, width, values, err := readHeader(payload)
	if err != nil {
		return embed.Parts{}, err
	}
	parts := embed.Parts{Count: count, Width: width, Values: make([]float32, count*width)}
	decode(parts.Values, values)
	return parts, nil
}

// DecodeRows is DecodeVectors of some rows, one after the other, or of all where rows is nil: of hundreds of images that a search
// scores, it needs a vector or two of each.
func DecodeRows(payload []byte, rows []int) ([]float32, error) {
	if rows == nil {
		parts, err := DecodeVectors(payload)
		return parts.Values, err
	}
	count, width, values, err := readHeader(payload)
	if err != nil {
		return nil, err
	}
	some := make([]float32, len(rows)*width)
	for i, row := range rows {
		if row < 0 || row >= count {
			return nil, fmt.Errorf("vectors: %w: no vector %d of %d", index.ErrDamaged, row, count)
		}
		decode(some[i*width:(i+1)*width], values[2*row*width:])
	}
	return some, nil
}

// readHeader gives the number and the width of vectors, and their values as they are written.
func readHeader(payload []byte) (count, width int, values []byte, err error) {
	if len(payload) < vectorsHeader {
		return 0, 0, nil, fmt.Errorf("vectors: %w", index.ErrDamaged)
	}
	number := int64(binary.LittleEndian.Uint32(payload))
	wide := int64(binary.LittleEndian.Uint32(payload[4:]))
	values = payload[vectorsHeader:]
	if number*wide != int64(len(values))/2 || len(values)%2 != 0 {
		return 0, 0, nil, fmt.Errorf("vectors: %w: %d of width %d in %d bytes", index.ErrDamaged, number, wide, len(values))
	}
	return int(number), int(wide), values, nil
}

// decode reads half-precision values, as many as there is room for.
func decode(rest []float32, values []byte) {
	for ; len(rest) >= 4 && len(values) >= 8; rest, values = rest[4:], values[8:] { // four at a time: a search reads hundreds of images
		four := binary.LittleEndian.Uint64(values)
		rest[0], rest[1] = floatOf(uint16(four)), floatOf(uint16(four>>16))
		rest[2], rest[3] = floatOf(uint16(four>>32)), floatOf(uint16(four>>48))
	}
	for i := range rest {
		rest[i] = floatOf(binary.LittleEndian.Uint16(values[2*i:]))
	}
}

// CheckParts refuses parts that do not belong in the space.
func CheckParts(parts embed.Parts, space embed.Space, kind index.Kind) error {
	if err := parts.Validate(); err != nil {
		return fmt.Errorf("%w: %w", index.ErrSpace, err)
	}
	wanted := 1
	if kind == index.KindImage {
		wanted = space.Parts
	}
	if parts.Count != wanted || parts.Width != space.Width {
		return fmt.Errorf("%w: %d vectors of width %d for one %s, expected %d of %d", index.ErrSpace, parts.Count, parts.Width, kind, wanted, space.Width)
	}
	for i := range parts.Count {
		var sum float64
		for _, value := range parts.Row(i) {
			sum += float64(value) * float64(value)
		}
		if !(math.Abs(math.Sqrt(sum)-1) <= unitTolerance) {
			return fmt.Errorf("%w: vector %d has length %g, expected 1", index.ErrSpace, i, math.Sqrt(sum))
		}
	}
	return nil
}
