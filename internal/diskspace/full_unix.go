//go:build unix

package diskspace

import (
	"errors"
	"syscall"
)

// IsFull reports whether an error says that a disk, or what its user may have of it, is full.
func IsFull(err error) bool {
	return errors.Is(err, ErrFull) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
