package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Values of the pickle machine besides nil, bool, int64, float64, string and []byte.
type (
	// pickleDict keeps entries with string keys in order. Of others, as an optimiser numbers its state, it keeps the
	// values only.
	pickleDict struct {
		entries map[string]any
		order   []string
		others  []any
	}
	pickleList  struct{ items []any }
	pickleTuple []any
	// pickleGlobal names a class or function; it is never looked up anywhere.
	pickleGlobal struct{ module, name string }
	// pickleOpaque stands for an object of a class that is known to be harmless and of no interest.
	pickleOpaque struct{}
	// pickleStorage is a reference to a storage of a torch file.
	pickleStorage struct {
		dataType dataType
		key      string
		elements int64
	}
	// pickleTensor is a view of a storage; offset and strides count elements.
	pickleTensor struct {
		storage        *pickleStorage
		offset         int64
		shape, strides []int64
	}
)

func (d *pickleDict) set(key, value any) {
	name, ok := key.(string)
	if !ok {
		d.others = append(d.others, value)
		return
	}
	if d.entries == nil {
		d.entries = map[string]any{}
	}
	if _, seen := d.entries[name]; !seen {
		d.order = append(d.order, name)
	}
	d.entries[name] = value
}

// pickleMachine reads one pickle. It knows the opcodes that torch.save writes, builds plain values and refuses all else;
// no code from the file is run and no name from it is looked up.
type pickleMachine struct {
	data       []byte
	position   int
	stack      []any
	marks      []int
	memo       map[uint64]any
	operations int
}

var errPickleShort = errors.New("pickle ends too early")

// readPickle returns the value of the pickle at the beginning of data and how many bytes it took.
func readPickle(data []byte) (any, int, error) {
	if len(data) > maximumPickle {
		return nil, 0, fmt.Errorf("pickle of %d bytes is larger than any checkpoint needs", len(data))
	}
	machine := &pickleMachine{data: data, memo: map[uint64]any{}}
	for {
		done, err := machine.step()
		if err != nil {
			return nil, 0, fmt.Errorf("pickle at byte %d: %w", machine.position, err)
		}
		if done {
			value, err := machine.pop()
			return value, machine.position, err
		}
	}
}

// take returns the next bytes of the pickle.
func (m *pickleMachine) take(count uint64) ([]byte, error) {
	if count > uint64(len(m.data)-m.position) {
		return nil, errPickleShort
	}
	taken := m.data[m.position : m.position+int(count)]
	m.position += int(count)
	return taken, nil
}

// number reads a little-endian unsigned number of the given bytes.
func (m *pickleMachine) number(width uint64) (uint64, error) {
	raw, err := m.take(width)
	if err != nil {
		return 0, err
	}
	var padded [8]byte
	copy(padded[:], raw)
	return binary.LittleEndian.Uint64(padded[:]), nil
}

// sized reads bytes whose count comes first in a number of the given width.
func (m *pickleMachine) sized(width uint64) ([]byte, error) {
	count, err := m.number(width)
	if err != nil {
		return nil, err
	}
	return m.take(count)
}

// line reads up to a line feed, which it drops.
func (m *pickleMachine) line() (string, error) {
	end := bytes.IndexByte(m.data[m.position:], '\n')
	if end < 0 {
		return "", errPickleShort
	}
	text := string(m.data[m.position : m.position+end])
	m.position += end + 1
	return text, nil
}

func (m *pickleMachine) push(value any) error {
	if len(m.stack) >= maximumStack {
		return errors.New("stack is deeper than any checkpoint needs")
	}
	m.stack = append(m.stack, value)
	return nil
}

func (m *pickleMachine) pop() (any, error) {
	floor := 0
	if len(m.marks) > 0 {
		floor = m.marks[len(m.marks)-1]
	}
	if len(m.stack) <= floor {
		return nil, errors.New("stack is empty")
	}
	value := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return value, nil
}

// popMark takes off everything above the last mark. The slice is valid until the next push.
func (m *pickleMachine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("no mark on the stack")
	}
	start := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	values := m.stack[start:]
	m.stack = m.stack[:start]
	return values, nil
}

func (m *pickleMachine) top() (any, error) {
	value, err := m.pop()
	if err != nil {
		return nil, err
	}
	return value, m.push(value)
}

// step carries out one opcode and reports whether it was the last.
func (m *pickleMachine) step() (done bool, err error) {
	if m.operations++; m.operations > maximumOperations {
		return false, errors.New("more operations than any checkpoint needs")
	}
	opcode, err := m.number(1)
	if err != nil {
		return false, err
	}
	if handled, err := m.constant(byte(opcode)); handled || err != nil {
		return false, err
	}
	if handled, err := m.container(byte(opcode)); handled || err != nil {
		return false, err
	}
	switch opcode {
	case '.':
		return true, nil
	case 0x80: // PROTO
		version, err := m.number(1)
		if err == nil && version > 5 {
			err = fmt.Errorf("protocol %d is not known", version)
		}
		return false, err
	case 0x95: // FRAME
		_, err := m.take(8)
		return false, err
	case 'c', 0x93:
		return false, m.global(byte(opcode))
	case 'R', 0x81: // REDUCE, NEWOBJ
		return false, m.call()
	case 'b': // BUILD: the state of an object; no state matters here
		_, err := m.pop()
		return false, err
	case 'Q':
		return false, m.persistent()
	}
	return false, fmt.Errorf("opcode %#02x is not allowed in a checkpoint; save it again with torch.save", opcode)
}

// constant handles opcodes that push a plain value.
func (m *pickleMachine) constant(opcode byte) (bool, error) {
	switch opcode {
	case 'N':
		return true, m.push(nil)
	case 0x88:
		return true, m.push(true)
	case 0x89:
		return true, m.push(false)
	case 'J', 'K', 'M', 0x8a, 0x8b:
		return true, m.integer(opcode)
	case 'G':
		raw, err := m.take(8)
		if err != nil {
			return true, err
		}
		return true, m.push(math.Float64frombits(binary.BigEndian.Uint64(raw)))
	}
	return m.text(opcode)
}

// text handles opcodes that push text or bytes, whose length comes first.
func (m *pickleMachine) text(opcode byte) (bool, error) {
	width, isBytes := uint64(0), false
	switch opcode {
	case 0x8c, 'U': // SHORT_BINUNICODE, SHORT_BINSTRING
		width = 1
	case 'X', 'T': // BINUNICODE, BINSTRING
		width = 4
	case 0x8d: // BINUNICODE8
		width = 8
	case 'C': // SHORT_BINBYTES
		width, isBytes = 1, true
	case 'B': // BINBYTES
		width, isBytes = 4, true
	case 0x8e, 0x96: // BINBYTES8, BYTEARRAY8
		width, isBytes = 8, true
	default:
		return false, nil
	}
	raw, err := m.sized(width)
	if err != nil {
		return true, err
	}
	if isBytes {
		return true, m.push(raw)
	}
	return true, m.push(string(raw))
}

// integer handles the integer opcodes. One that does not fit in 64 bits, as a random generator's state may not, becomes
// opaque.
func (m *pickleMachine) integer(opcode byte) error {
	switch opcode {
	case 'J':
		value, err := m.number(4)
		if err != nil {
			return err
		}
		return m.push(int64(int32(uint32(value))))
	case 'K', 'M':
		width := uint64(1)
		if opcode == 'M' {
			width = 2
		}
		value, err := m.number(width)
		if err != nil {
			return err
		}
		return m.push(int64(value))
	}
	width := uint64(1)
	if opcode == 0x8b { // LONG4
		width = 4
	}
	raw, err := m.sized(width)
	if err != nil {
		return err
	}
	if len(raw) > 8 {
		return m.push(pickleOpaque{})
	}
	var padded [8]byte
	copy(padded[:], raw)
	if len(raw) > 0 && raw[len(raw)-1]&0x80 != 0 {
		for i := len(raw); i < 8; i++ {
			padded[i] = 0xff
		}
	}
	return m.push(int64(binary.LittleEndian.Uint64(padded[:])))
}

// container handles opcodes that build tuples, lists and dictionaries, and those that move values.
func (m *pickleMachine) container(opcode byte) (bool, error) {
	switch opcode {
	case '(':
		if len(m.marks) >= maximumStack {
			return true, errors.New("stack is deeper than any checkpoint needs")
		}
		m.marks = append(m.marks, len(m.stack))
		return true, nil
	case '0':
		_, err := m.pop()
		return true, err
	case '1':
		_, err := m.popMark()
		return true, err
	case '2':
		value, err := m.top()
		if err != nil {
			return true, err
		}
		return true, m.push(value)
	case ']':
		return true, m.push(&pickleList{})
	case '}':
		return true, m.push(&pickleDict{})
	case 0x8f:
		return true, m.push(pickleOpaque{}) // EMPTY_SET
	case ')':
		return true, m.push(pickleTuple{})
	case 't', 'l', 'd', 0x91:
		values, err := m.popMark()
		if err != nil {
			return true, err
		}
		return true, m.collect(opcode, values)
	case 0x85, 0x86, 0x87:
		return true, m.tuple(int(opcode) - 0x84)
	case 'a', 'e', 's', 'u', 0x90:
		return true, m.extend(opcode)
	case 'q', 'r', 'h', 'j', 0x94:
		return true, m.remember(opcode)
	}
	return false, nil
}

// collect builds a value of everything above the last mark.
func (m *pickleMachine) collect(opcode byte, values []any) error {
	switch opcode {
	case 't':
		return m.push(append(pickleTuple(nil), values...))
	case 'l':
		return m.push(&pickleList{items: append([]any(nil), values...)})
	case 'd':
		dict := &pickleDict{}
		if err := setPairs(dict, values); err != nil {
			return err
		}
		return m.push(dict)
	}
	return m.push(pickleOpaque{}) // FROZENSET
}

// tuple builds a tuple of the given number of values.
func (m *pickleMachine) tuple(count int) error {
	built := make(pickleTuple, count)
	for i := count - 1; i >= 0; i-- {
		value, err := m.pop()
		if err != nil {
			return err
		}
		built[i] = value
	}
	return m.push(built)
}

// extend adds one value or all values above the last mark to the list or dictionary below.
func (m *pickleMachine) extend(opcode byte) error {
	var values []any
	var err error
	switch opcode {
	case 'e', 'u', 0x90:
		values, err = m.popMark()
	default:
		values = make([]any, 1) // APPEND
		if opcode == 's' {
			values = make([]any, 2)
		}
		for i := len(values) - 1; i >= 0 && err == nil; i-- {
			values[i], err = m.pop()
		}
	}
	if err != nil {
		return err
	}
	target, err := m.top()
	if err != nil {
		return err
	}
	switch target := target.(type) {
	case *pickleList:
		if opcode == 'a' || opcode == 'e' {
			target.items = append(target.items, values...)
			return nil
		}
	case *pickleDict:
		if opcode == 's' || opcode == 'u' {
			return setPairs(target, values)
		}
	case pickleOpaque:
		return nil
	}
	return fmt.Errorf("opcode %#02x does not fit the value below it", opcode)
}

// setPairs stores alternating keys and values.
func setPairs(dict *pickleDict, values []any) error {
	if len(values)%2 != 0 {
		return errors.New("a dictionary's key has no value")
	}
	for i := 0; i < len(values); i += 2 {
		dict.set(values[i], values[i+1])
	}
	return nil
}

// remember handles the memo.
func (m *pickleMachine) remember(opcode byte) error {
	index := uint64(len(m.memo)) // MEMOIZE
	if opcode != 0x94 {
		width := uint64(1)
		if opcode == 'r' || opcode == 'j' {
			width = 4
		}
		var err error
		if index, err = m.number(width); err != nil {
			return err
		}
	}
	if opcode == 'h' || opcode == 'j' {
		value, ok := m.memo[index]
		if !ok {
			return fmt.Errorf("memo %d is empty", index)
		}
		return m.push(value)
	}
	value, err := m.top()
	if err != nil {
		return err
	}
	m.memo[index] = value
	return nil
}
