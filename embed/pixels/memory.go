package pixels

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"
)

// Memory bounds the bytes that all decoding together takes at one time. Make
// one with NewMemory, once for a process, and give it to every Decoder.
type Memory struct {
	size int64
	free *semaphore.Weighted
}

// NewMemory returns a Memory of the given number of bytes.
func NewMemory(bytes int64) *Memory {
	return &Memory{size: bytes, free: semaphore.NewWeighted(max(bytes, 0))}
}

// acquire waits until the given number of bytes is free and takes them; release
// gives bytes back. A request above the whole size can never be met and is
// ErrTooLarge.
func (m *Memory) acquire(ctx context.Context, bytes int64) error {
	if bytes > m.size {
		return fmt.Errorf("%w: decoding takes %d MiB, more than the %d MiB set aside for it",
			ErrTooLarge, bytes>>20, m.size>>20)
	}
	return m.free.Acquire(ctx, bytes)
}

func (m *Memory) release(bytes int64) { m.free.Release(bytes) }
