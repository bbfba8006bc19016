package local

import (
	"errors"
	"io/fs"
	"path/filepath"
)

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func parentOf(path string) string { return filepath.Dir(path) }
