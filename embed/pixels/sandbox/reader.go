package sandbox

import (
	"encoding/binary"
	"fmt"
)

// opcodeLoop starts a loop.
const opcodeLoop = 0x03

// reader reads a part of a WebAssembly module. After the first error every
// read gives zero.
type reader struct {
	data []byte
	err  error
}

func (r *reader) fail(format string, arguments ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", errModule, fmt.Sprintf(format, arguments...))
	}
	r.data = nil
}

// byte reads one byte.
func (r *reader) byte() byte {
	if len(r.data) < 1 {
		r.fail("it ends too soon")
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

// bytes reads count bytes.
func (r *reader) bytes(count int64) []byte {
	if count > int64(len(r.data)) {
		r.fail("it ends too soon")
		return nil
	}
	out := r.data[:count]
	r.data = r.data[count:]
	return out
}

// number reads an unsigned 32-bit LEB128 number.
func (r *reader) number() uint32 {
	value, size := binary.Uvarint(r.data)
	if size < 1 || value > 1<<32-1 {
		r.fail("a number is damaged")
		return 0
	}
	r.data = r.data[size:]
	return uint32(value)
}

// skipNumbers reads LEB128 numbers of any sign and size.
func (r *reader) skipNumbers(count int) {
	for range count {
		for r.byte()&0x80 != 0 && r.err == nil {
			continue
		}
	}
}

// instruction reads one instruction and returns its opcode (WebAssembly Core
// Specification 2.0, section 5.4).
func (r *reader) instruction() byte {
	opcode := r.byte()
	switch {
	case opcode == 0x0E: // br_table
		labels := r.number()
		for range labels {
			if r.skipNumbers(1); r.err != nil {
				return opcode
			}
		}
		r.skipNumbers(1)
	case opcode == 0x1C: // select with types
		r.bytes(int64(r.number()))
	case opcode == 0x11, opcode >= 0x28 && opcode <= 0x3E: // call_indirect, loads and stores
		r.skipNumbers(2)
	case opcode == 0x43: // f32.const
		r.bytes(4)
	case opcode == 0x44: // f64.const
		r.bytes(8)
	case opcode >= 0x02 && opcode <= 0x04, // blocks
		opcode == 0x0C, opcode == 0x0D, opcode == 0x10, // br, br_if, call
		opcode >= 0x20 && opcode <= 0x26, // variables and tables
		opcode >= 0x3F && opcode <= 0x42, // memory size, constants
		opcode == 0xD0, opcode == 0xD2:   // references
		r.skipNumbers(1)
	case opcode <= 0x01, opcode == 0x05, opcode == 0x0B, opcode == 0x0F, opcode == 0x1A, opcode == 0x1B,
		opcode >= 0x45 && opcode <= 0xC4, opcode == 0xD1:
	case opcode == 0xFC:
		r.extended()
	case opcode == 0xFD:
		r.vector()
	default:
		r.fail("its instruction %#x is unknown", opcode)
	}
	return opcode
}

// extended reads the rest of an instruction that starts with 0xFC.
func (r *reader) extended() {
	switch opcode := r.number(); {
	case opcode <= 7: // saturating conversions
	case opcode == 9, opcode == 11, opcode == 13, opcode >= 15 && opcode <= 17:
		r.skipNumbers(1)
	case opcode <= 17: // init and copy
		r.skipNumbers(2)
	default:
		r.fail("its instruction 0xfc %d is unknown", opcode)
	}
}

// vector reads the rest of an instruction that starts with 0xFD.
func (r *reader) vector() {
	const last = 0xFF
	switch opcode := r.number(); {
	case opcode <= 11, opcode == 92, opcode == 93: // loads and stores
		r.skipNumbers(2)
	case opcode == 12, opcode == 13: // v128.const, i8x16.shuffle
		r.bytes(16)
	case opcode >= 21 && opcode <= 34: // lanes
		r.bytes(1)
	case opcode >= 84 && opcode <= 91: // loads and stores of lanes
		r.skipNumbers(2)
		r.bytes(1)
	case opcode > last:
		r.fail("its instruction 0xfd %d is unknown", opcode)
	}
}
