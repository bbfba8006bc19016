package embed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Packing says how image tokens are stored.
type Packing uint8

// The packings. Each row has its own scale, so that a large row costs the others
// nothing.
const (
	PackInt8 Packing = 1 // 1 byte a value
	PackInt4 Packing = 2 // half a byte a value
)

// String returns "int8" or "int4".
func (p Packing) String() string {
	switch p {
	case PackInt8:
		return "int8"
	case PackInt4:
		return "int4"
	}
	return fmt.Sprintf("packing(%d)", uint8(p))
}

// packedMagic starts packed tokens; its last byte is the format's version.
var packedMagic = [4]byte{'I', 'T', 'K', 1}

// ErrPacked means that bytes are not packed image tokens.
var ErrPacked = errors.New("not packed image tokens")

// Pack stores tokens compactly: a header of 12 bytes (magic, packing, rows,
// columns), a float32 scale for each row, and the codes, all little-endian. Codes
// are the values divided by their row's scale and rounded: -127 to 127, or -7 to
// 7 with two in a byte, low half first, each row starting a new byte. The bytes
// carry no checksum; their keeper adds one.
func Pack(tokens ImageTokens, packing Packing) ([]byte, error) {
	if err := tokens.Validate(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	size, err := packedSize(tokens.Rows, tokens.Columns, packing)
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	packed := make([]byte, size)
	copy(packed, packedMagic[:])
	// Rows and columns are bounded above: 2 bytes for rows, 4 for columns, and
	// the packing before them.
	packed[4] = byte(packing)
	binary.LittleEndian.PutUint16(packed[6:], uint16(tokens.Rows))
	binary.LittleEndian.PutUint32(packed[8:], uint32(tokens.Columns))
	scales := packed[packedHeaderBytes:]
	codes := scales[4*tokens.Rows:]
	stride := rowBytes(tokens.Columns, packing)
	for row := range tokens.Rows {
		values := tokens.Values[row*tokens.Columns : (row+1)*tokens.Columns]
		scale, err := packRow(codes[row*stride:(row+1)*stride], values, packing)
		if err != nil {
			return nil, fmt.Errorf("pack: row %d: %w", row, err)
		}
		binary.LittleEndian.PutUint32(scales[4*row:], math.Float32bits(scale))
	}
	return packed, nil
}

// Unpack reads what Pack wrote. Bytes of another size than their header asks for
// are refused before memory is asked for.
func Unpack(packed []byte) (ImageTokens, error) {
	if len(packed) < packedHeaderBytes || [4]byte(packed[:4]) != packedMagic || packed[5] != 0 {
		return ImageTokens{}, ErrPacked
	}
	packing := Packing(packed[4])
	rows := int(binary.LittleEndian.Uint16(packed[6:]))
	columns64 := int64(binary.LittleEndian.Uint32(packed[8:]))
	if columns64 > maximumTokenColumns {
		return ImageTokens{}, fmt.Errorf("%w: %d columns", ErrPacked, columns64)
	}
	columns := int(columns64)
	size, err := packedSize(rows, columns, packing)
	if err != nil {
		return ImageTokens{}, fmt.Errorf("%w: %w", ErrPacked, err)
	}
	if len(packed) != size {
		return ImageTokens{}, fmt.Errorf("%w: %d bytes, want %d", ErrPacked, len(packed), size)
	}
	tokens := ImageTokens{Rows: rows, Columns: columns, Values: make([]float32, rows*columns)}
	scales := packed[packedHeaderBytes:]
	codes := scales[4*rows:]
	stride := rowBytes(columns, packing)
	for row := range rows {
		scale := math.Float32frombits(binary.LittleEndian.Uint32(scales[4*row:]))
		if !(scale >= 0 && scale <= math.MaxFloat32/128) {
			return ImageTokens{}, fmt.Errorf("%w: scale of row %d is %g", ErrPacked, row, scale)
		}
		unpackRow(tokens.Values[row*columns:(row+1)*columns], codes[row*stride:(row+1)*stride], scale, packing)
	}
	return tokens, nil
}

func packedSize(rows, columns int, packing Packing) (int, error) {
	if packing != PackInt8 && packing != PackInt4 {
		return 0, fmt.Errorf("unknown %v", packing)
	}
	if rows < 1 || rows > maximumTokenRows || columns < 1 || columns > maximumTokenColumns || rows*columns > maximumTokenValues {
		return 0, fmt.Errorf("image tokens of %dx%d are out of range", rows, columns)
	}
	return packedHeaderBytes + rows*(4+rowBytes(columns, packing)), nil
}

func rowBytes(columns int, packing Packing) int {
	if packing == PackInt4 {
		return (columns + 1) / 2
	}
	return columns
}

// packRow writes the codes of one row and returns its scale.
func packRow(codes []byte, values []float32, packing Packing) (float32, error) {
	var largest float32
	for _, value := range values {
		magnitude := float32(math.Abs(float64(value)))
		if !(magnitude <= math.MaxFloat32) {
			return 0, fmt.Errorf("a value is %g", value)
		}
		largest = max(largest, magnitude)
	}
	limit := float32(127)
	if packing == PackInt4 {
		limit = 7
	}
	scale := largest / limit
	if !(scale > 0) { // all zero, or too small to tell
		return 0, nil
	}
	for i, value := range values {
		code := int(math.RoundToEven(float64(value) / float64(scale)))
		code = max(-int(limit), min(int(limit), code))
		if packing == PackInt8 {
			codes[i] = byte(int8(code))
			continue
		}
		codes[i/2] |= byte(code&0xf) << (4 * (i & 1))
	}
	return scale, nil
}

func unpackRow(values []float32, codes []byte, scale float32, packing Packing) {
	if packing == PackInt8 {
		for i, code := range codes {
			values[i] = float32(int8(code)) * scale
		}
		return
	}
	for i := range values {
		half := codes[i/2] >> (4 * (i & 1)) & 0xf
		values[i] = float32(int8(half<<4)>>4) * scale
	}
}
