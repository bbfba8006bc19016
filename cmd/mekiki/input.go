package main

import (
	"context"
	"io"
	"sync"
)

// untilDone gives a reader of source whose reads fail when the context ends, although
// source, such as a terminal, goes on waiting. Nothing of source is read before.
func untilDone(ctx context.Context, source io.Reader) io.Reader {
	return &interruptible{open: sync.OnceValue(func() *io.PipeReader {
		reader, writer := io.Pipe()
		context.AfterFunc(ctx, func() { _ = writer.CloseWithError(ctx.Err()) })
		go func() {
			_, err := io.Copy(writer, source)
			_ = writer.CloseWithError(err)
		}()
		return reader
	})}
}

type interruptible struct{ open func() *io.PipeReader }

// Read implements io.Reader.
func (i *interruptible) Read(data []byte) (int, error) { return i.open().Read(data) }
