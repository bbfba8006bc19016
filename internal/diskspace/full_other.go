//go:build !unix

package diskspace

import (
	"errors"
	"syscall"
)

// IsFull knows ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL of Windows.
func IsFull(err error) bool {
	return errors.Is(err, ErrFull) || errors.Is(err, syscall.Errno(39)) || errors.Is(err, syscall.Errno(112))
}
