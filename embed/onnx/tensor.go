package onnx

import (
	"encoding/binary"
	"math"
)

// Float32Tensor is an inline tensor of the given values.
func Float32Tensor(values []float32, shape ...int64) Tensor {
	return Tensor{Type: Float32, Shape: shape, Raw: AppendFloat32(make([]byte, 0, 4*len(values)), values)}
}

// Int64Tensor is an inline tensor of the given values.
func Int64Tensor(values []int64, shape ...int64) Tensor {
	raw := make([]byte, 0, 8*len(values))
	for _, value := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(value))
	}
	return Tensor{Type: Int64, Shape: shape, Raw: raw}
}

// AppendFloat32 appends the little-endian bytes of the values to buffer.
func AppendFloat32(buffer []byte, values []float32) []byte {
	for _, value := range values {
		buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(value))
	}
	return buffer
}
