package catalog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"mekiki/index"
)

// The catalog's values are written as fields: a tag, a length and that many
// bytes. Zero values are left out and unknown tags are skipped, so that a field
// can be added without a new format version.

// ErrShort is the error of bytes that are not what was encoded.
var ErrShort = errors.New("value ends early")

// encoder appends fields to a buffer.
type encoder struct{ buffer []byte }

func (e *encoder) bytes(tag uint64, value []byte) {
	if len(value) == 0 {
		return
	}
	e.buffer = binary.AppendUvarint(e.buffer, tag)
	e.buffer = binary.AppendUvarint(e.buffer, uint64(len(value)))
	e.buffer = append(e.buffer, value...)
}

func (e *encoder) text(tag uint64, value string) {
	if value == "" {
		return
	}
	e.buffer = binary.AppendUvarint(e.buffer, tag)
	e.buffer = binary.AppendUvarint(e.buffer, uint64(len(value)))
	e.buffer = append(e.buffer, value...)
}

func (e *encoder) uint(tag, value uint64) {
	if value == 0 {
		return
	}
	var scratch [binary.MaxVarintLen64]byte
	e.bytes(tag, binary.AppendUvarint(scratch[:0], value))
}

func (e *encoder) int(tag uint64, value int64) {
	if value == 0 {
		return
	}
	var scratch [binary.MaxVarintLen64]byte
	e.bytes(tag, binary.AppendVarint(scratch[:0], value))
}

// flag writes 1 for true; false is left out.
func (e *encoder) flag(tag uint64, value bool) {
	if value {
		e.uint(tag, 1)
	}
}

// whole writes a number of which zero means something.
func (e *encoder) whole(tag uint64, value int64) {
	var scratch [binary.MaxVarintLen64]byte
	e.bytes(tag, binary.AppendVarint(scratch[:0], value))
}

func (e *encoder) float64(tag uint64, value float64) {
	e.bytes(tag, binary.LittleEndian.AppendUint64(nil, math.Float64bits(value)))
}

func (e *encoder) float32(tag uint64, value float32) {
	e.bytes(tag, binary.LittleEndian.AppendUint32(nil, math.Float32bits(value)))
}

// time writes whole nanoseconds in UTC; the zero time is left out.
func (e *encoder) time(tag uint64, value time.Time) {
	if value.IsZero() {
		return
	}
	var scratch [2 * binary.MaxVarintLen64]byte
	buffer := binary.AppendVarint(scratch[:0], value.Unix())
	e.bytes(tag, binary.AppendUvarint(buffer, uint64(value.Nanosecond())))
}

// nested writes the fields that fill writes as one field.
func (e *encoder) nested(tag uint64, fill func(*encoder)) {
	var inner encoder
	fill(&inner)
	e.buffer = binary.AppendUvarint(e.buffer, tag)
	e.buffer = binary.AppendUvarint(e.buffer, uint64(len(inner.buffer)))
	e.buffer = append(e.buffer, inner.buffer...)
}

// fields gives each field of data to visit.
func fields(data string, visit func(tag uint64, value field) error) error {
	return entries(data, func(tag uint64, value string) error {
		if err := visit(tag, field(value)); err != nil {
			return fmt.Errorf("field %d: %w", tag, err)
		}
		return nil
	})
}

// entries gives each entry of data to visit: a number, and as many bytes as the
// number behind it says.
func entries(data string, visit func(number uint64, value string) error) error {
	for len(data) > 0 {
		number, n := uvarint(data)
		if n <= 0 {
			return ErrShort
		}
		data = data[n:]
		length, n := uvarint(data)
		if n <= 0 || length > uint64(len(data)-n) {
			return ErrShort
		}
		value := data[n : n+int(length)]
		data = data[n+int(length):]
		if err := visit(number, value); err != nil {
			return err
		}
	}
	return nil
}

// uvarint is binary.Uvarint of a text.
func uvarint(data string) (value uint64, length int) {
	var shift uint
	for i := range len(data) {
		b := data[i]
		if i == binary.MaxVarintLen64 {
			return 0, -(i + 1) // more than 64 bits
		}
		if b < 0x80 {
			if i == binary.MaxVarintLen64-1 && b > 1 {
				return 0, -(i + 1)
			}
			return value | uint64(b)<<shift, i + 1
		}
		value |= uint64(b&0x7f) << shift
		shift += 7
	}
	return 0, 0
}

// varint is binary.Varint of a text.
func varint(data string) (value int64, length int) {
	unsigned, length := uvarint(data)
	value = int64(unsigned >> 1)
	if unsigned&1 != 0 {
		value = ^value
	}
	return value, length
}

// field is one field's bytes. Its readers set a target and report what is wrong. Texts share its memory, which is that of
// all that was encoded with them: a million records are opened in half the time when each text has no memory of its own.
type field string

func (f field) text(target *string) error {
	*target = string(f)
	return nil
}

func (f field) uint(target *uint64) error {
	value, n := uvarint(string(f))
	if n <= 0 || n != len(f) {
		return ErrShort
	}
	*target = value
	return nil
}

func (f field) int(target *int64) error {
	value, n := varint(string(f))
	if n <= 0 || n != len(f) {
		return ErrShort
	}
	*target = value
	return nil
}

func (f field) float64(target *float64) error {
	if len(f) != 8 {
		return ErrShort
	}
	*target = math.Float64frombits(binary.LittleEndian.Uint64([]byte(f)))
	return nil
}

func (f field) float32(target *float32) error {
	if len(f) != 4 {
		return ErrShort
	}
	*target = math.Float32frombits(binary.LittleEndian.Uint32([]byte(f)))
	return nil
}

func (f field) time(target *time.Time) error {
	seconds, n := varint(string(f))
	if n <= 0 {
		return ErrShort
	}
	nanoseconds, m := uvarint(string(f[n:]))
	if m <= 0 || n+m != len(f) || nanoseconds >= 1e9 {
		return ErrShort
	}
	*target = time.Unix(seconds, int64(nanoseconds)).UTC()
	return nil
}

func (f field) hash(target *index.Hash) error {
	if len(f) != len(target) {
		return ErrShort
	}
	copy(target[:], f)
	return nil
}
