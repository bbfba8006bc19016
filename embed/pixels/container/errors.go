package container

import (
	"errors"
	"fmt"
)

var (
	// ErrUnsupported means that the file is no image, or one of a kind that
	// cannot be read.
	ErrUnsupported = errors.New("image format is not supported")
	// ErrCorrupt means that the file is damaged or cut short.
	ErrCorrupt = errors.New("image is damaged")
)

// Corrupt returns an ErrCorrupt with a reason.
func Corrupt(format string, arguments ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, arguments...))
}

// Unsupported returns an ErrUnsupported with a reason.
func Unsupported(format string, arguments ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, arguments...))
}
