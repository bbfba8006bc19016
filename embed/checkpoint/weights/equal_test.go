package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

// bytesOf stores values in an element type.
func bytesOf(values []float32, kind dataType) []byte {
	var raw []byte
	for _, value := range values {
		bits := math.Float32bits(value)
		if kind == bfloat16Type {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(bits>>16))
			continue
		}
		raw = binary.LittleEndian.AppendUint32(raw, bits)
	}
	return raw
}

// TestEqual compares tensors of one and of two element types, in order and not, to the last value of the last piece.
func TestEqual(t *testing.T) {
	const rows, columns = 513, 1025 // more than one piece
	values := make([]float32, rows*columns)
	for i := range values {
		values[i] = float32(i%251) - 7
	}
	changed := bytes.Clone(bytesOf(values, float32Type))
	changed[len(changed)-2] ^= 1
	tensor := func(raw []byte, kind dataType, shape ...int) *Tensor {
		return &Tensor{Name: "t", Source: "file", Shape: shape, reader: bytes.NewReader(raw), dataType: kind}
	}
	zeros := make([]float32, 4)
	negative := []float32{0, float32(math.Copysign(0, -1)), 0, 0}
	columnFirst := tensor(bytesOf([]float32{0, 2, 1, 3}, float32Type), float32Type, 2, 2)
	columnFirst.strides = []int64{1, 2}
	for name, test := range map[string]struct {
		a, b *Tensor
		want bool
	}{
		"the same":       {tensor(bytesOf(values, float32Type), float32Type, rows, columns), tensor(bytesOf(values, float32Type), float32Type, rows, columns), true},
		"another type":   {tensor(bytesOf(values, float32Type), float32Type, rows, columns), tensor(bytesOf(values, bfloat16Type), bfloat16Type, rows, columns), true},
		"the last value": {tensor(bytesOf(values, float32Type), float32Type, rows, columns), tensor(changed, float32Type, rows, columns), false},
		"another shape":  {tensor(bytesOf(zeros, float32Type), float32Type, 4), tensor(bytesOf(zeros, float32Type), float32Type, 2, 2), false},
		"minus zero":     {tensor(bytesOf(zeros, float32Type), float32Type, 4), tensor(bytesOf(negative, float32Type), float32Type, 4), true},
		"another order":  {columnFirst, tensor(bytesOf([]float32{0, 1, 2, 3}, float32Type), float32Type, 2, 2), true},
	} {
		got, err := Equal(t.Context(), test.a, test.b)
		if err != nil || got != test.want {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
	whole := tensor(bytesOf(zeros, float32Type), "I32", 4)
	if _, err := Equal(t.Context(), whole, tensor(bytesOf(zeros, float32Type), float32Type, 4)); err == nil {
		t.Error("whole numbers were compared")
	}
	short := tensor(bytesOf(zeros, float32Type)[:9], float32Type, 4)
	if _, err := Equal(t.Context(), short, tensor(bytesOf(zeros, float32Type), float32Type, 4)); err == nil {
		t.Error("a file that was cut short was compared")
	}
}
