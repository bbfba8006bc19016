package sandbox

import "github.com/tetratelabs/wazero/experimental"

// memory is that of one instance: a little at first, and then all that it may
// be, so that what is in it is copied once only.
type memory struct {
	limit   int64
	buffer  []byte
	refused bool // to grow beyond the limit
}

// Allocate returns m, as the memory of an instance.
func (m *memory) Allocate(uint64, uint64) experimental.LinearMemory { return m }

// Reallocate makes the memory size bytes long, or returns nil when that is above
// the limit.
func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(m.limit) {
		m.refused = true
		return nil
	}
	if size > uint64(cap(m.buffer)) {
		capacity := uint64(min(m.limit, firstMemory))
		if size > capacity {
			capacity = uint64(m.limit)
		}
		larger := make([]byte, size, capacity)
		copy(larger, m.buffer)
		m.buffer = larger
	}
	m.buffer = m.buffer[:size]
	return m.buffer
}

// Free gives the memory back.
func (m *memory) Free() { m.buffer = nil }
