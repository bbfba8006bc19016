package diskspace

import "errors"

// ErrFull is the error of storage elsewhere that has no room left; [IsFull] knows it.
var ErrFull = errors.New("no room is left")
