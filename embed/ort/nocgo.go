//go:build !cgo

package ort

import (
	"context"

	"mekiki/internal/hint"
)

// Runtime stands in for ONNX Runtime in a program built without cgo; none can be
// opened.
type Runtime struct{}

// Session stands in for an opened graph; none can be opened.
type Session struct{}

func errNoCgo() error {
	return hint.Wrap(ErrNoCgo, "install a C compiler and build with CGO_ENABLED=1, or use a released binary")
}

// Open returns ErrNoCgo.
func Open(context.Context, Options) (*Runtime, error) { return nil, errNoCgo() }

// Version returns "".
func (*Runtime) Version() string { return "" }

// LibraryPath returns "".
func (*Runtime) LibraryPath() string { return "" }

// Source returns "".
func (*Runtime) Source() string { return "" }

// Close does nothing.
func (*Runtime) Close() error { return nil }

// Session returns ErrNoCgo.
func (*Runtime) Session(context.Context, SessionOptions) (*Session, error) { return nil, errNoCgo() }

// Describe returns ErrNoCgo.
func (*Runtime) Describe(context.Context, string, ...string) (Description, error) {
	return Description{}, errNoCgo()
}

// Path returns "".
func (*Session) Path() string { return "" }

// Inputs returns nil.
func (*Session) Inputs() []Value { return nil }

// Outputs returns nil.
func (*Session) Outputs() []Value { return nil }

// Run returns ErrNoCgo.
func (*Session) Run(context.Context, ...Tensor) ([]Tensor, error) { return nil, errNoCgo() }

// RunInto returns ErrNoCgo.
func (*Session) RunInto(context.Context, []Tensor, []Tensor) error { return errNoCgo() }

// Close does nothing.
func (*Session) Close() error { return nil }
