//go:build cgo

package ort

import (
	"fmt"
	"runtime"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// wrapAll makes the bindings' tensors over the caller's slices, which stay pinned
// until pins are released. A zero Tensor becomes nil where optional.
func wrapAll(pins *runtime.Pinner, declared []Value, tensors []Tensor, optional bool) ([]onnxruntime.Value, error) {
	if len(tensors) != len(declared) {
		return nil, fmt.Errorf("got %d tensors, want %d (%v)", len(tensors), len(declared), declared)
	}
	wrapped := make([]onnxruntime.Value, len(tensors))
	for i, tensor := range tensors {
		if optional && tensor.kind == 0 {
			continue
		}
		if err := declared[i].accepts(tensor); err != nil {
			return wrapped, err
		}
		value, err := wrapTensor(pins, tensor)
		if err != nil {
			return wrapped, fmt.Errorf("%s: %w", declared[i].Name, err)
		}
		wrapped[i] = value
	}
	return wrapped, nil
}

func wrapTensor(pins *runtime.Pinner, tensor Tensor) (onnxruntime.Value, error) {
	switch tensor.kind {
	case Float32:
		return wrapSlice(pins, tensor.shape, tensor.float32s)
	case Int64:
		return wrapSlice(pins, tensor.shape, tensor.int64s)
	case Int32:
		return wrapSlice(pins, tensor.shape, tensor.int32s)
	case Int8:
		return wrapSlice(pins, tensor.shape, tensor.int8s)
	case Uint8:
		return wrapSlice(pins, tensor.shape, tensor.uint8s)
	}
	return nil, fmt.Errorf("cannot pass a tensor of %s", tensor.kind)
}

func wrapSlice[T onnxruntime.TensorData](pins *runtime.Pinner, shape []int64, values []T) (onnxruntime.Value, error) {
	if len(values) > 0 {
		pins.Pin(&values[0])
	}
	tensor, err := onnxruntime.NewTensor(onnxruntime.Shape(shape), values)
	if err != nil {
		return nil, err // never a typed nil
	}
	return tensor, nil
}

// unwrap takes the elements of a tensor that a run made. The slices are Go's own
// and outlive the value.
func unwrap(value onnxruntime.Value) (Tensor, error) {
	shape := value.GetShape()
	switch tensor := value.(type) {
	case *onnxruntime.Tensor[float32]:
		return Float32Tensor(tensor.GetData(), shape...), nil
	case *onnxruntime.Tensor[int64]:
		return Int64Tensor(tensor.GetData(), shape...), nil
	case *onnxruntime.Tensor[int32]:
		return Int32Tensor(tensor.GetData(), shape...), nil
	case *onnxruntime.Tensor[int8]:
		return Int8Tensor(tensor.GetData(), shape...), nil
	case *onnxruntime.Tensor[uint8]:
		return Uint8Tensor(tensor.GetData(), shape...), nil
	}
	return Tensor{}, fmt.Errorf("unexpected element type of %T", value)
}

func destroyAll(values []onnxruntime.Value) {
	for _, value := range values {
		if value != nil {
			_ = value.Destroy()
		}
	}
}
