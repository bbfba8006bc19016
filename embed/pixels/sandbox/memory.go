package sandbox

import "github.com/tetratelabs/wazero/experimental"

// memory is that of one instance. Addresses for all that it may be are reserved at
// once, so that it never moves; what it does not use costs nothing, and what it
// used goes back when the instance ends, without waiting for a garbage collection.
type memory struct {
	limit    int64
	reserved []byte
	refused  bool // to grow beyond the limit
}

// newMemory reserves memory that may grow to the limit.
func newMemory(limit int64) (*memory, error) {
	reserved, err := reserve(limit)
	return &memory{limit: limit, reserved: reserved}, err
}

// Allocate returns m, as the memory of an instance.
func (m *memory) Allocate(uint64, uint64) experimental.LinearMemory { return m }

// Reallocate returns the first size bytes of the memory, or nil when that is above
// the limit.
func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(m.limit) {
		m.refused = true
		return nil
	}
	return m.reserved[:size]
}

// Free does nothing: the memory is given back when nobody holds the picture in it.
func (m *memory) Free() {}

// release gives the memory back. Nothing may use it afterwards.
func (m *memory) release() error {
	reserved := m.reserved
	m.reserved = nil
	return unreserve(reserved)
}
