// Package contextio has readers that end with a context, and contexts that outlast another one.
package contextio

import (
	"context"
	"io"
)

// Reader reads from another reader until the context ends, and then fails with
// the context's error. A read that is under way is not broken off.
type Reader struct {
	ctx    context.Context
	source io.Reader
}

// NewReader returns a reader of source that ends with the context.
func NewReader(ctx context.Context, source io.Reader) Reader { return Reader{ctx, source} }

// Read is as io.Reader has it.
func (r Reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.source.Read(p)
}
