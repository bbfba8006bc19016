package embed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
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

// packedRepeating is the header's sixth byte where equal rows are stored once; else it is 0.
const packedRepeating = 1

// Pack stores tokens compactly: a header of 12 bytes (magic, packing, form, rows,
// columns), a float32 scale for each row, and the codes, all little-endian. Codes
// are the values divided by their row's scale and rounded: -127 to 127, or -7 to
// 7 with two in a byte, low half first, each row starting a new byte. Where rows are
// equal, as merged tokens are, the form is 1, and after the header come the number of
// rows that are stored and, for each row, which of them it is, 2 bytes each. The bytes
// carry no checksum; their keeper adds one.
func Pack(tokens ImageTokens, packing Packing) ([]byte, error) {
	if err := tokens.Validate(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if err := packable(tokens.Rows, tokens.Columns, packing); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	places, first := equalRows(tokens)
	packed := make([]byte, packedHeaderBytes, packedSize(tokens.Rows, len(first), tokens.Columns, packing))
	copy(packed, packedMagic[:])
	// Rows and columns are bounded above: 2 bytes for rows, 4 for columns, and
	// the packing before them.
	packed[4] = byte(packing)
	binary.LittleEndian.PutUint16(packed[6:], uint16(tokens.Rows))
	binary.LittleEndian.PutUint32(packed[8:], uint32(tokens.Columns))
	if len(first) < tokens.Rows {
		packed[5] = packedRepeating
		packed = binary.LittleEndian.AppendUint16(packed, uint16(len(first)))
		for _, place := range places {
			packed = binary.LittleEndian.AppendUint16(packed, uint16(place))
		}
	}
	scales := packed[len(packed):cap(packed)]
	codes := scales[4*len(first):]
	stride := rowBytes(tokens.Columns, packing)
	for at, row := range first {
		values := tokens.Values[row*tokens.Columns : (row+1)*tokens.Columns]
		scale, err := packRow(codes[at*stride:(at+1)*stride], values, packing)
		if err != nil {
			return nil, fmt.Errorf("pack: row %d: %w", row, err)
		}
		binary.LittleEndian.PutUint32(scales[4*at:], math.Float32bits(scale))
	}
	return packed[:cap(packed)], nil
}

// equalRows lists the rows that differ from all before them, and for each row its place among those.
func equalRows(tokens ImageTokens) (places, first []int) {
	places = make([]int, tokens.Rows)
	seed := maphash.MakeSeed()
	known := make(map[uint64][]int, tokens.Rows) // places, by what their rows hash to
	for row := range tokens.Rows {
		values := tokens.Values[row*tokens.Columns : (row+1)*tokens.Columns]
		var hash uint64
		for _, value := range values[:min(len(values), hashedColumns)] {
			hash = hash<<1 ^ maphash.Comparable(seed, value)
		}
		place := slices.IndexFunc(known[hash], func(place int) bool {
			return slices.Equal(tokens.Values[first[place]*tokens.Columns:][:tokens.Columns], values)
		})
		if place >= 0 {
			places[row] = known[hash][place]
			continue
		}
		places[row] = len(first)
		known[hash] = append(known[hash], len(first))
		first = append(first, row)
	}
	return places, first
}

// Unpack reads what Pack wrote. Bytes of another size than their header asks for
// are refused before memory is asked for.
func Unpack(packed []byte) (ImageTokens, error) {
	if len(packed) < packedHeaderBytes || [4]byte(packed[:4]) != packedMagic || packed[5] > packedRepeating {
		return ImageTokens{}, ErrPacked
	}
	packing, repeating := Packing(packed[4]), packed[5] == packedRepeating
	rows := int(binary.LittleEndian.Uint16(packed[6:]))
	columns64 := int64(binary.LittleEndian.Uint32(packed[8:]))
	if columns64 > maximumTokenColumns {
		return ImageTokens{}, fmt.Errorf("%w: %d columns", ErrPacked, columns64)
	}
	columns := int(columns64)
	if err := packable(rows, columns, packing); err != nil {
		return ImageTokens{}, fmt.Errorf("%w: %w", ErrPacked, err)
	}
	rest, stored := packed[packedHeaderBytes:], rows
	var places []byte
	if repeating {
		if len(rest) < 2+2*rows {
			return ImageTokens{}, fmt.Errorf("%w: %d bytes for %d rows", ErrPacked, len(packed), rows)
		}
		stored, places, rest = int(binary.LittleEndian.Uint16(rest)), rest[2:2+2*rows], rest[2+2*rows:]
		if stored < 1 || stored >= rows {
			return ImageTokens{}, fmt.Errorf("%w: %d rows for %d", ErrPacked, stored, rows)
		}
	}
	if size := packedSize(rows, stored, columns, packing); len(packed) != size {
		return ImageTokens{}, fmt.Errorf("%w: %d bytes, want %d", ErrPacked, len(packed), size)
	}
	tokens := ImageTokens{Rows: rows, Columns: columns, Values: make([]float32, rows*columns)}
	stride := rowBytes(columns, packing)
	scales, codes := rest[:4*stored], rest[4*stored:]
	for row := range rows {
		place := row
		if repeating {
			if place = int(binary.LittleEndian.Uint16(places[2*row:])); place >= stored {
				return ImageTokens{}, fmt.Errorf("%w: row %d is row %d of %d", ErrPacked, row, place, stored)
			}
		}
		scale := math.Float32frombits(binary.LittleEndian.Uint32(scales[4*place:]))
		if !(scale >= 0 && scale <= math.MaxFloat32/128) {
			return ImageTokens{}, fmt.Errorf("%w: scale of row %d is %g", ErrPacked, row, scale)
		}
		unpackRow(tokens.Values[row*columns:(row+1)*columns], codes[place*stride:(place+1)*stride], scale, packing)
	}
	return tokens, nil
}

// packable reports sizes that cannot be packed.
func packable(rows, columns int, packing Packing) error {
	if packing != PackInt8 && packing != PackInt4 {
		return fmt.Errorf("unknown %v", packing)
	}
	if rows < 1 || rows > maximumTokenRows || columns < 1 || columns > maximumTokenColumns || rows*columns > maximumTokenValues {
		return fmt.Errorf("image tokens of %dx%d are out of range", rows, columns)
	}
	return nil
}

// packedSize is how many bytes tokens take of which so many rows are stored.
func packedSize(rows, stored, columns int, packing Packing) int {
	size := packedHeaderBytes + stored*(4+rowBytes(columns, packing))
	if stored < rows {
		size += 2 + 2*rows
	}
	return size
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
