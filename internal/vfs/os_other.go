//go:build !unix && !windows

package vfs

import (
	"errors"
	"io"
)

func syncDir(string) error { return nil }

func lock(name string) (io.Closer, error) {
	return nil, errors.New("lock " + name + ": this platform has no file locks")
}
