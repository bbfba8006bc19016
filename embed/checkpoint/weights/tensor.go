package weights

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
)

// dataType names an element type as safetensors spells it.
type dataType string

const (
	float64Type  dataType = "F64"
	float32Type  dataType = "F32"
	float16Type  dataType = "F16"
	bfloat16Type dataType = "BF16"
)

// elementSizes gives the bytes of one element of every type that a file may hold, whether or not it can be read as
// numbers. Types narrower than a byte are not listed and so refused.
var elementSizes = map[dataType]int64{
	float64Type: 8, float32Type: 4, float16Type: 2, bfloat16Type: 2,
	"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
	"F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "C64": 8,
}

// floating reports whether values of the type can become float32.
func (d dataType) floating() bool {
	return d == float64Type || d == float32Type || d == float16Type || d == bfloat16Type
}

// Tensor is a tensor as it lies in a file.
type Tensor struct {
	Name   string // in the file
	Shape  []int
	Source string // the file's name, for messages

	// Offsets and strides are counted in elements from base.
	reader   io.ReaderAt
	dataType dataType
	strides  []int64 // nil when contiguous
	base     int64   // byte position of the storage in reader
	offset   int64   // first element within the storage
}

// Elements returns the number of elements of a shape, or false when it is negative or does not fit in an int.
func Elements(shape []int) (int, bool) {
	count := 1
	for _, dimension := range shape {
		if dimension < 0 {
			return 0, false
		}
		if dimension != 0 && count > math.MaxInt/dimension {
			return 0, false
		}
		count *= dimension
	}
	return count, true
}

// contiguousStrides returns the row-major strides of a shape.
func contiguousStrides(shape []int) []int64 {
	strides := make([]int64, len(shape))
	step := int64(1)
	for axis := len(shape) - 1; axis >= 0; axis-- {
		strides[axis] = step
		step *= int64(shape[axis])
	}
	return strides
}

// contiguous reports whether the tensor's elements follow each other in row-major order. The strides of axes of size one
// do not matter.
func (t *Tensor) contiguous() bool {
	if t.strides == nil {
		return true
	}
	for axis, stride := range contiguousStrides(t.Shape) {
		if t.Shape[axis] != 1 && t.strides[axis] != stride {
			return false
		}
	}
	return true
}

// SameElements reports whether two tensors are one view of the same bytes.
func (t *Tensor) SameElements(other *Tensor) bool {
	return t.reader == other.reader && t.base == other.base && t.offset == other.offset && t.dataType == other.dataType &&
		slices.Equal(t.Shape, other.Shape) && slices.Equal(t.strides, other.strides)
}

// Read fills values, whose length is the number of elements, in row-major order.
func (t *Tensor) Read(ctx context.Context, values []float32) error {
	if err := t.mustFloat(); err != nil {
		return err
	}
	if t.contiguous() {
		return t.readRun(ctx, t.offset, values)
	}
	return t.readStrided(ctx, values)
}

// mustFloat refuses tensors whose values cannot become float32.
func (t *Tensor) mustFloat() error {
	if t.dataType.floating() {
		return nil
	}
	return fmt.Errorf("tensor %s in %s holds %s values, which are not supported; convert it to F32, F16 or BF16", t.Name, t.Source, t.dataType)
}

// readRun reads consecutive elements from the given element offset of the storage.
func (t *Tensor) readRun(ctx context.Context, offset int64, values []float32) error {
	size := elementSizes[t.dataType]
	buffer := make([]byte, min(chunkBytes, int64(len(values))*size))
	position := t.base + offset*size
	for len(values) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		count := min(int64(len(values)), int64(len(buffer))/size)
		chunk := buffer[:count*size]
		if _, err := t.reader.ReadAt(chunk, position); err != nil {
			return fmt.Errorf("read tensor %s from %s: %w", t.Name, t.Source, noEOF(err))
		}
		if bad := convert(values[:count], chunk, t.dataType); bad >= 0 {
			return fmt.Errorf("tensor %s in %s holds %v; the file is damaged or its training diverged",
				t.Name, t.Source, values[bad])
		}
		values = values[count:]
		position += count * size
	}
	return nil
}

// readStrided gathers a view whose elements do not follow each other. The span of the view is read at once where it is
// not much larger than the tensor; otherwise every run of consecutive elements is read by itself.
func (t *Tensor) readStrided(ctx context.Context, values []float32) error {
	span := int64(1)
	for axis, size := range t.Shape {
		if size == 0 {
			return nil
		}
		span += int64(size-1) * t.strides[axis]
	}
	var whole []float32
	if span <= 4*int64(len(values))+chunkBytes {
		whole = make([]float32, span)
		if err := t.readRun(ctx, t.offset, whole); err != nil {
			return err
		}
	}
	run, outer := t.innerRun()
	index := make([]int, outer)
	for start := 0; start < len(values); start += run {
		offset := int64(0)
		for axis, position := range index {
			offset += int64(position) * t.strides[axis]
		}
		if whole != nil {
			copy(values[start:start+run], whole[offset:])
		} else if err := t.readRun(ctx, t.offset+offset, values[start:start+run]); err != nil {
			return err
		}
		for axis := outer - 1; axis >= 0; axis-- {
			index[axis]++
			if index[axis] < t.Shape[axis] {
				break
			}
			index[axis] = 0
		}
	}
	return nil
}

// innerRun returns how many elements follow each other in the innermost axes, and how many axes remain outside.
func (t *Tensor) innerRun() (run, outer int) {
	run, outer = 1, len(t.Shape)
	for outer > 0 && (t.Shape[outer-1] == 1 || t.strides[outer-1] == int64(run)) {
		run *= t.Shape[outer-1]
		outer--
	}
	return run, outer
}

// convert decodes little-endian elements and returns the index of the first that is not finite, or -1.
func convert(values []float32, raw []byte, kind dataType) int {
	bad := -1
	switch kind {
	case float32Type:
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case float16Type:
		for i := range values {
			values[i] = HalfToFloat(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	case bfloat16Type:
		for i := range values {
			values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		}
	case float64Type:
		for i := range values {
			values[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
		}
	}
	for i, value := range values {
		if math.Float32bits(value)&0x7f800000 == 0x7f800000 {
			bad = i
			break
		}
	}
	return bad
}

// HalfToFloat converts an IEEE 754 binary16 value.
func HalfToFloat(half uint16) float32 {
	sign := uint32(half&0x8000) << 16
	exponent := uint32(half>>10) & 0x1f
	fraction := uint32(half & 0x3ff)
	switch {
	case exponent == 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	case exponent != 0:
		return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
	case fraction == 0:
		return math.Float32frombits(sign)
	}
	value := float32(fraction) * (1.0 / (1 << 24))
	if sign != 0 {
		return -value
	}
	return value
}

// noEOF turns the end of a file into the error that it is when bytes were promised.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// FetchRemedy is the hint for files that are missing or damaged.
const FetchRemedy = "fetch the files again, for example with mekiki pull"
