//go:build cgo

package orttest

import (
	"testing"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"mekiki/embed/ort"
)

// Inspect asks ONNX Runtime, which must be open, for a graph's inputs and outputs.
func Inspect(t testing.TB, path string) (inputs, outputs []ort.Value) {
	t.Helper()
	given, taken, err := onnxruntime.GetInputOutputInfo(path)
	if err != nil {
		t.Fatal(err)
	}
	return values(given), values(taken)
}

func values(infos []onnxruntime.InputOutputInfo) []ort.Value {
	types := map[onnxruntime.TensorElementDataType]ort.Type{
		onnxruntime.TensorElementDataTypeFloat: ort.Float32, onnxruntime.TensorElementDataTypeInt64: ort.Int64,
		onnxruntime.TensorElementDataTypeInt32: ort.Int32,
	}
	list := make([]ort.Value, len(infos))
	for i, info := range infos {
		list[i] = ort.Value{Name: info.Name, Type: types[info.DataType], Shape: info.Dimensions}
	}
	return list
}
