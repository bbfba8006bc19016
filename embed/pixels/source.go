package pixels

import (
	"bytes"
	"context"
)

// source reads a file from memory until its context is done.
type source struct {
	context func() error
	reader  *bytes.Reader
}

// newSource returns a source; it lives no longer than the call that ctx is of.
func newSource(ctx context.Context, data []byte) *source {
	return &source{context: ctx.Err, reader: bytes.NewReader(data)}
}

// Read reads on, or returns the context's error.
func (s *source) Read(p []byte) (int, error) {
	if err := s.context(); err != nil {
		return 0, err
	}
	return s.reader.Read(p)
}

// ReadAt reads at an offset, or returns the context's error.
func (s *source) ReadAt(p []byte, offset int64) (int, error) {
	if err := s.context(); err != nil {
		return 0, err
	}
	return s.reader.ReadAt(p, offset)
}
