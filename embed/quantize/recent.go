package quantize

import (
	"context"
	"slices"
)

// recent keeps the tensors read last, since choosing reads a layer's weights
// several times. It is not safe for concurrent use.
type recent struct {
	Weights
	kept  map[string][]float32
	order []string // names, oldest first
	held  int      // values kept
}

func newRecent(weights Weights) *recent {
	return &recent{Weights: weights, kept: map[string][]float32{}}
}

// Float32 reads a tensor or copies what is kept of it.
func (r *recent) Float32(ctx context.Context, name string) ([]float32, error) {
	if values, ok := r.kept[name]; ok {
		return slices.Clone(values), nil
	}
	values, err := r.Weights.Float32(ctx, name)
	if err != nil || len(values) > recentValues {
		return values, err
	}
	for r.held+len(values) > recentValues {
		oldest := r.order[0]
		r.order = r.order[1:]
		r.held -= len(r.kept[oldest])
		delete(r.kept, oldest)
	}
	r.kept[name], r.order = values, append(r.order, name)
	r.held += len(values)
	return slices.Clone(values), nil
}

// forget drops what is kept.
func (r *recent) forget() {
	clear(r.kept)
	r.order, r.held = nil, 0
}
