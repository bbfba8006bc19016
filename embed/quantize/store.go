package quantize

import (
	"context"
	"fmt"
	"slices"

	"mekiki/embed/onnx"
)

// Weights gives the tensors of a checkpoint by their canonical names.
type Weights interface {
	// Has reports whether there is a tensor of this name.
	Has(name string) bool
	// Shape is the tensor's shape, outermost dimension first.
	Shape(name string) ([]int, bool)
	// Float32 reads a tensor, row-major. The slice is the caller's.
	Float32(ctx context.Context, name string) ([]float32, error)
}

// Store turns a checkpoint's tensors into constants of graphs. Each is
// written to the data file when a graph first asks for it and shared by the
// graphs that ask later.
type Store struct {
	weights Weights
	load    func(name string) ([]float32, error) // reads a tensor, until the compilation is cancelled
	data    *onnx.DataFile
	plan    Plan
	tensors map[string]onnx.Tensor
	taps    *taps // collects the inputs of products, unless nil
}

// NewStore makes a store that writes to data, which stays the caller's.
func NewStore(ctx context.Context, weights Weights, data *onnx.DataFile, plan Plan) *Store {
	load := func(name string) ([]float32, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return weights.Float32(ctx, name)
	}
	return &Store{weights: weights, load: load, data: data, plan: plan, tensors: map[string]onnx.Tensor{}}
}

// read reads a tensor and checks its shape.
func (s *Store) read(name string, shape ...int) ([]float32, error) {
	found, ok := s.weights.Shape(name)
	if !ok {
		return nil, fmt.Errorf("checkpoint has no tensor %s", name)
	}
	if !slices.Equal(found, shape) {
		return nil, fmt.Errorf("tensor %s has shape %v, not %v", name, found, shape)
	}
	values, err := s.load(name)
	if err != nil {
		return nil, fmt.Errorf("read tensor %s: %w", name, err)
	}
	return values, nil
}

// readAll reads tensors of one shape one after another into one slice.
func (s *Store) readAll(names []string, shape ...int) ([]float32, error) {
	if len(names) == 1 {
		return s.read(names[0], shape...)
	}
	var joined []float32
	for _, name := range names {
		values, err := s.read(name, shape...)
		if err != nil {
			return nil, err
		}
		if joined == nil {
			joined = make([]float32, 0, len(values)*len(names))
		}
		joined = append(joined, values...)
	}
	return joined, nil
}

// constant gives graph g the stored tensor of this name, made by load the
// first time.
func (s *Store) constant(g *onnx.Graph, name string, load func() (onnx.Tensor, error)) onnx.Value {
	tensor, ok := s.tensors[name]
	if !ok {
		var err error
		if tensor, err = load(); err != nil {
			g.Fail(err)
			return onnx.Value{}
		}
		s.tensors[name] = tensor
	}
	return g.Constant(name, tensor)
}

// floats is a constant of float values under this name.
func (s *Store) floats(g *onnx.Graph, name string, load func() ([]float32, error), shape ...int) onnx.Value {
	return s.constant(g, name, func() (onnx.Tensor, error) {
		values, err := load()
		if err != nil {
			return onnx.Tensor{}, err
		}
		return s.data.AppendFloat32(values, int64s(shape)...)
	})
}

func int64s(values []int) []int64 {
	converted := make([]int64, len(values))
	for i, value := range values {
		converted[i] = int64(value)
	}
	return converted
}
