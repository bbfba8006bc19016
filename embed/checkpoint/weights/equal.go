package weights

import (
	"bytes"
	"context"
	"fmt"
	"slices"
)

// Equal reports whether two tensors have the same shape and values. They are compared piece by piece, so that two
// matrices of a vocabulary take a few megabytes of memory.
func Equal(ctx context.Context, a, b *Tensor) (bool, error) {
	if !slices.Equal(a.Shape, b.Shape) {
		return false, nil
	}
	if a.SameElements(b) {
		return true, nil
	}
	count, _ := Elements(a.Shape)
	if !a.contiguous() || !b.contiguous() {
		return equalWhole(ctx, a, b, count)
	}
	for _, tensor := range []*Tensor{a, b} {
		if err := tensor.mustFloat(); err != nil {
			return false, err
		}
	}
	const piece = chunkBytes / 4
	var first, second pieceReader
	for start := 0; start < count; start += piece {
		length := min(piece, count-start)
		x, err := first.read(ctx, a, start, length)
		if err != nil {
			return false, err
		}
		y, err := second.read(ctx, b, start, length)
		if err != nil {
			return false, err
		}
		if a.dataType == b.dataType && bytes.Equal(first.raw, second.raw) {
			continue
		}
		if !slices.Equal(x(), y()) {
			return false, nil
		}
	}
	return true, nil
}

// pieceReader reads pieces of a tensor into one buffer.
type pieceReader struct {
	raw    []byte
	values []float32
}

// read reads count elements from the given one on; they are converted when the result is called.
func (p *pieceReader) read(ctx context.Context, tensor *Tensor, from, count int) (func() []float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	size := int(elementSizes[tensor.dataType])
	p.raw = slices.Grow(p.raw[:0], count*size)[:count*size]
	if _, err := tensor.reader.ReadAt(p.raw, tensor.base+(tensor.offset+int64(from))*int64(size)); err != nil {
		return nil, fmt.Errorf("read tensor %s from %s: %w", tensor.Name, tensor.Source, noEOF(err))
	}
	return func() []float32 {
		p.values = slices.Grow(p.values[:0], count)[:count]
		convert(p.values, p.raw, tensor.dataType)
		return p.values
	}, nil
}

// equalWhole compares views that are not stored in order.
func equalWhole(ctx context.Context, a, b *Tensor, count int) (bool, error) {
	first, second := make([]float32, count), make([]float32, count)
	if err := a.Read(ctx, first); err != nil {
		return false, err
	}
	if err := b.Read(ctx, second); err != nil {
		return false, err
	}
	return slices.Equal(first, second), nil
}
