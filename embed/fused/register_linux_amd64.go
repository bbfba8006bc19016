//go:build cgo && linux && amd64

package fused

/*
#cgo CFLAGS: -O2
#cgo LDFLAGS: -ldl -lm -lpthread
#include <dlfcn.h>
#include <stdlib.h>
#include "runtime.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// Available reports whether this processor has the instructions.
func Available() bool {
	return cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VNNI
}

// Register makes the operators known to a session: options are its OrtSessionOptions. The library is the runtime's file, which
// is loaded already.
func Register(library string, options unsafe.Pointer) error {
	path := C.CString(library)
	defer C.free(unsafe.Pointer(path))
	handle := C.dlopen(path, C.RTLD_NOW|C.RTLD_NOLOAD)
	if handle == nil {
		return fmt.Errorf("register the operators: %s is not loaded", library)
	}
	defer C.dlclose(handle)
	if problem := C.register_operators(handle, options); problem != nil {
		return fmt.Errorf("register the operators: %s", C.GoString(problem))
	}
	return nil
}
