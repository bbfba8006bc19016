//go:build cgo

package ort

import (
	"context"
	"fmt"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// Describe reads what a graph of another program takes and gives, and the entries of its metadata that have these keys. Sizes
// that are not fixed are -1. Types that this package does not compute with are 0.
func (r *Runtime) Describe(ctx context.Context, path string, keys ...string) (d Description, err error) {
	if err := ctx.Err(); err != nil {
		return Description{}, err
	}
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	if r.closed {
		return Description{}, fmt.Errorf("describe %s: runtime %w", path, ErrClosed)
	}
	defer recovered(&err, "describe "+path)
	inputs, outputs, err := onnxruntime.GetInputOutputInfo(path)
	if err != nil {
		return Description{}, fmt.Errorf("describe %s: %w: %w", path, ErrModel, err)
	}
	d = Description{Inputs: described(inputs), Outputs: described(outputs), Metadata: map[string]string{}}
	metadata, err := onnxruntime.GetModelMetadata(path)
	if err != nil {
		return Description{}, fmt.Errorf("describe %s: %w: %w", path, ErrModel, err)
	}
	defer metadata.Destroy()
	for _, key := range keys {
		value, there, err := metadata.LookupCustomMetadataMap(key)
		if err != nil {
			return Description{}, fmt.Errorf("describe %s: %w: %w", path, ErrModel, err)
		}
		if there {
			d.Metadata[key] = value
		}
	}
	return d, nil
}

func described(infos []onnxruntime.InputOutputInfo) []Value {
	types := map[onnxruntime.TensorElementDataType]Type{
		onnxruntime.TensorElementDataTypeFloat: Float32, onnxruntime.TensorElementDataTypeInt64: Int64, onnxruntime.TensorElementDataTypeInt32: Int32,
	}
	values := make([]Value, len(infos))
	for i, info := range infos {
		values[i] = Value{Name: info.Name, Type: types[info.DataType], Shape: info.Dimensions}
	}
	return values
}
