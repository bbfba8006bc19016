//go:build !(cgo && linux && amd64)

package fused

import (
	"errors"
	"unsafe"
)

// Available reports whether this processor has the instructions.
func Available() bool { return false }

// Register is there only on Linux with AVX-512 VNNI.
func Register(string, unsafe.Pointer) error { return errors.ErrUnsupported }
