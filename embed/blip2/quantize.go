package blip2

import (
	"bytes"
	"math"

	"mekiki/embed/onnx"
)

// method is how a matrix product is computed.
type method string

const (
	methodFloat  method = "fp32"
	methodInt8   method = "int8"        // one activation scale for each run
	methodRows   method = "int8_rows"   // one activation scale for each row
	methodBlocks method = "int8_blocks" // scales for each row or output and each block of input features
)

// plan says for every matrix product how it is computed, and what is folded
// into weights to make quantisation lose less. Its zero value is float32
// throughout.
//
// Folding divides the features between two layers by factors and multiplies
// the reading weights by the same factors, so that features of very different
// size share one activation scale with less loss.
type plan struct {
	methods  map[string]method
	fallback method               // for products without a method of their own
	rows     map[string][]float32 // factors for the input features of a product
	columns  map[string][]float32 // divisors for the output features of a product and its bias
	norms    map[string][]float32 // divisors for the features of a layer norm
	centres  map[string][]float32 // what is taken off the input features of a product in methodRows
}

func newPlan(fallback method) plan {
	return plan{methods: map[string]method{}, fallback: fallback, rows: map[string][]float32{},
		columns: map[string][]float32{}, norms: map[string][]float32{}, centres: map[string][]float32{}}
}

func (p plan) method(l linear) method {
	if chosen, ok := p.methods[l.name()]; ok {
		return chosen
	}
	if p.fallback == "" {
		return methodFloat
	}
	return p.fallback
}

// quantized is the weights of l as signed 8-bit integers [input, width] and
// one scale for each output [width].
func (s *store) quantized(g *onnx.Graph, l linear) (weight, scale onnx.Value) {
	weightName, scaleName := l.name()+".weight_int8", l.name()+".weight_scale"
	if _, ok := s.tensors[weightName]; !ok {
		values, err := s.matrix(l)
		if err != nil {
			g.Fail(err)
			return
		}
		codes, scales := quantizeRows(values, l.width(), l.input)
		s.constant(g, weightName, func() (onnx.Tensor, error) {
			return s.data.AppendBytes(onnx.Int8, codes, int64(l.input), int64(l.width()))
		})
		s.constant(g, scaleName, func() (onnx.Tensor, error) {
			return s.data.AppendFloat32(scales, int64(l.width()))
		})
		centre := s.plan.centres[l.name()]
		switch {
		case centre != nil:
			s.offset(g, l, multiplyRows(values, centre))
		case l.least < 0:
			s.offset(g, l, multiplyCodes(codes, scales, l.least))
		}
	}
	return g.Constant(weightName, s.tensors[weightName]), g.Constant(scaleName, s.tensors[scaleName])
}

// offset is what the product of l lacks, [width], when a constant was taken off
// its input; values are needed only the first time.
func (s *store) offset(g *onnx.Graph, l linear, values []float32) onnx.Value {
	return s.floats(g, l.name()+".weight_offset", func() ([]float32, error) { return values, nil }, l.width())
}

// multiplyRows multiplies each row of a matrix by a vector.
func multiplyRows(matrix, vector []float32) []float32 {
	products := make([]float32, len(matrix)/len(vector))
	for i := range products {
		var sum float64
		for j, value := range matrix[i*len(vector) : (i+1)*len(vector)] {
			sum += float64(value) * float64(vector[j])
		}
		products[i] = float32(sum)
	}
	return products
}

// multiplyCodes multiplies an input of equal features by weights as
// quantizeRows gives them.
func multiplyCodes(codes []byte, scales []float32, feature float32) []float32 {
	sums := make([]int64, len(scales))
	for i, code := range codes {
		sums[i%len(sums)] += int64(int8(code))
	}
	results := make([]float32, len(scales))
	for i, sum := range sums {
		results[i] = feature * scales[i] * float32(sum)
	}
	return results
}

// quantizeRows turns each row of a matrix [rows, columns] into signed 8-bit
// integers by one scale, largest magnitude over 127, and returns the
// transposed codes [columns, rows] and the scales.
func quantizeRows(values []float32, rows, columns int) (codes []byte, scales []float32) {
	codes = make([]byte, len(values))
	scales = make([]float32, rows)
	const block = 64 // of rows and columns, to stay in the cache
	inverse := make([]float32, rows)
	for i := range rows {
		var largest float32
		for _, value := range values[i*columns : (i+1)*columns] {
			largest = max(largest, float32(math.Abs(float64(value))))
		}
		if largest == 0 {
			largest = 127 // a row of zeros: any scale will do
		}
		scales[i] = largest / 127
		inverse[i] = 127 / largest
	}
	for top := 0; top < rows; top += block {
		for left := 0; left < columns; left += block {
			for i := top; i < min(top+block, rows); i++ {
				for j := left; j < min(left+block, columns); j++ {
					code := math.RoundToEven(float64(values[i*columns+j] * inverse[i]))
					codes[j*rows+i] = byte(int8(max(-127, min(127, code))))
				}
			}
		}
	}
	return codes, scales
}

// quantizationBlock is the number of input features that share a scale in
// methodBlocks.
const quantizationBlock = 32

// blocks is the weights of l as 8-bit integers around 128 in blocks,
// [width, blocks, block], and one scale for each block [width, blocks].
func (s *store) blocks(g *onnx.Graph, l linear) (weight, scale onnx.Value) {
	weightName, scaleName := l.name()+".weight_blocks", l.name()+".weight_blocks_scale"
	if _, ok := s.tensors[weightName]; !ok {
		values, err := s.matrix(l)
		if err != nil {
			g.Fail(err)
			return
		}
		codes, scales := quantizeBlocks(values, l.width(), l.input)
		count := int64((l.input + quantizationBlock - 1) / quantizationBlock)
		s.constant(g, weightName, func() (onnx.Tensor, error) {
			return s.data.AppendBytes(onnx.Uint8, codes, int64(l.width()), count, quantizationBlock)
		})
		s.constant(g, scaleName, func() (onnx.Tensor, error) {
			return s.data.AppendFloat32(scales, int64(l.width()), count)
		})
	}
	return g.Constant(weightName, s.tensors[weightName]), g.Constant(scaleName, s.tensors[scaleName])
}

// quantizeBlocks turns each block of each row of a matrix [rows, columns]
// into 8-bit integers around 128 by one scale, largest magnitude over 127.
// The last block of a row is filled with zeros.
func quantizeBlocks(values []float32, rows, columns int) (codes []byte, scales []float32) {
	count := (columns + quantizationBlock - 1) / quantizationBlock
	codes = bytes.Repeat([]byte{128}, rows*count*quantizationBlock)
	scales = make([]float32, rows*count)
	for i := range rows {
		for block := range count {
			start := i*columns + block*quantizationBlock
			part := values[start:min(start+quantizationBlock, (i+1)*columns)]
			var largest float32
			for _, value := range part {
				largest = max(largest, float32(math.Abs(float64(value))))
			}
			if largest == 0 {
				largest = 127 // a block of zeros: any scale will do
			}
			at := i*count + block
			scales[at] = largest / 127
			for j, value := range part {
				code := math.RoundToEven(float64(value * (127 / largest)))
				codes[at*quantizationBlock+j] = byte(128 + max(-127, min(127, code)))
			}
		}
	}
	return codes, scales
}
