//go:build unix

package sandbox

import (
	"fmt"
	"syscall"
)

// reserve maps size bytes of zeros, which take memory when they are first written.
func reserve(size int64) ([]byte, error) {
	mapped, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("reserve %d MiB: %w", size>>20, err)
	}
	return mapped, nil
}

func unreserve(reserved []byte) error { return syscall.Munmap(reserved) }
