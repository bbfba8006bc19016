package weights

import (
	"context"
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
	first, second := make([]float32, min(piece, count)), make([]float32, min(piece, count))
	for start := 0; start < count; start += piece {
		length := min(piece, count-start)
		if err := a.readRun(ctx, a.offset+int64(start), first[:length]); err != nil {
			return false, err
		}
		if err := b.readRun(ctx, b.offset+int64(start), second[:length]); err != nil {
			return false, err
		}
		if !slices.Equal(first[:length], second[:length]) {
			return false, nil
		}
	}
	return true, nil
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
