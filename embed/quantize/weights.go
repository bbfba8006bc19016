package quantize

import (
	"encoding/binary"
	"fmt"
	"math"

	"mekiki/embed/onnx"
)

// quantized is the weights of p as signed 8-bit integers [input, width] and
// one scale for each output [width].
func (s *Store) quantized(g *onnx.Graph, p Product) (weight, scale onnx.Value) {
	weightName, scaleName := p.Name()+".weight_int8", p.Name()+".weight_scale"
	if _, ok := s.tensors[weightName]; !ok {
		values, err := s.matrix(p)
		if err != nil {
			g.Fail(err)
			return
		}
		codes, scales := quantizeRows(values, p.Width(), p.Input)
		s.constant(g, weightName, func() (onnx.Tensor, error) {
			return s.data.AppendBytes(onnx.Int8, codes, int64(p.Input), int64(p.Width()))
		})
		s.constant(g, scaleName, func() (onnx.Tensor, error) {
			return s.data.AppendFloat32(scales, int64(p.Width()))
		})
		centre := s.plan.centres[p.Name()]
		switch {
		case centre != nil:
			s.offset(g, p, multiplyRows(values, centre))
		case p.Least < 0:
			s.offset(g, p, multiplyCodes(codes, scales, p.Least))
		}
	}
	return g.Constant(weightName, s.tensors[weightName]), g.Constant(scaleName, s.tensors[scaleName])
}

// offset is what the product of p lacks, [width], when a constant was taken off
// its input; values are needed only the first time.
func (s *Store) offset(g *onnx.Graph, p Product, values []float32) onnx.Value {
	return s.floats(g, p.Name()+".weight_offset", func() ([]float32, error) { return values, nil }, p.Width())
}

// blocks is the weights of p as 8-bit integers around 128 in blocks of so many features,
// [width, blocks, block], and one scale for each block [width, blocks].
func (s *Store) blocks(g *onnx.Graph, p Product, size int) (weight, scale onnx.Value) {
	weightName, scaleName := p.Name()+".weight_blocks", p.Name()+".weight_blocks_scale"
	if _, ok := s.tensors[weightName]; !ok {
		values, err := s.matrix(p)
		if err != nil {
			g.Fail(err)
			return
		}
		codes, scales := quantizeBlocks(values, p.Width(), p.Input, size)
		count := int64((p.Input + size - 1) / size)
		s.constant(g, weightName, func() (onnx.Tensor, error) {
			return s.data.AppendBytes(onnx.Uint8, codes, int64(p.Width()), count, int64(size))
		})
		s.constant(g, scaleName, func() (onnx.Tensor, error) {
			return s.data.AppendFloat32(scales, int64(p.Width()), count)
		})
	}
	return g.Constant(weightName, s.tensors[weightName]), g.Constant(scaleName, s.tensors[scaleName])
}

// blocks4 is blocks with integers of 4 bits around 8, [width, blocks, block/2].
func (s *Store) blocks4(g *onnx.Graph, p Product) (weight, scale onnx.Value) {
	weightName, scaleName := p.Name()+".weight_blocks4", p.Name()+".weight_blocks4_scale"
	if _, ok := s.tensors[weightName]; !ok {
		values, err := s.matrix(p)
		if err != nil {
			g.Fail(err)
			return
		}
		codes, scales := quantizeBlocks4(values, s.plan.weighs[p.Name()], p.Width(), p.Input)
		count := int64((p.Input + blockSize - 1) / blockSize)
		s.constant(g, weightName, func() (onnx.Tensor, error) {
			return s.data.AppendBytes(onnx.Uint8, codes, int64(p.Width()), count, blockSize/2)
		})
		s.constant(g, scaleName, func() (onnx.Tensor, error) {
			return s.data.AppendFloat32(scales, int64(p.Width()), count)
		})
	}
	return g.Constant(weightName, s.tensors[weightName]), g.Constant(scaleName, s.tensors[scaleName])
}

// transposed is the weights of p as a matrix [input, width].
func (s *Store) transposed(g *onnx.Graph, p Product) onnx.Value {
	return s.floats(g, p.Name()+".weight", func() ([]float32, error) {
		values, err := s.matrix(p)
		if err != nil {
			return nil, err
		}
		return transpose(values, p.Width(), p.Input), nil
	}, p.Input, p.Width())
}

// half is transposed in half precision. What does not fit is an error.
func (s *Store) half(g *onnx.Graph, p Product) onnx.Value {
	return s.constant(g, p.Name()+".weight_half", func() (onnx.Tensor, error) {
		values, err := s.matrix(p)
		if err != nil {
			return onnx.Tensor{}, err
		}
		raw := make([]byte, 0, 2*len(values))
		for _, value := range transpose(values, p.Width(), p.Input) {
			code := halfBits(value)
			if code&0x7fff >= 0x7c00 {
				return onnx.Tensor{}, fmt.Errorf("a weight of %s is %g, which half precision does not hold", p.Name(), value)
			}
			raw = binary.LittleEndian.AppendUint16(raw, code)
		}
		return s.data.AppendBytes(onnx.Float16, raw, int64(p.Input), int64(p.Width()))
	})
}

// halfBits is the value of half precision nearest to value, the even one of two.
func halfBits(value float32) uint16 {
	bits := math.Float32bits(value)
	sign := uint16(bits >> 16 & 0x8000)
	size := math.Abs(float64(value))
	switch {
	case !(size < 65520): // halfway from the largest value to the next power of two, or no number
		return sign | 0x7c00
	case size < 1.0/(1<<14): // in steps of 2^-24
		return sign | uint16(math.RoundToEven(size*(1<<24)))
	}
	rounded := bits&0x7fffffff + 0xfff + bits>>13&1
	return sign | uint16(rounded>>13-(127-15)<<10)
}

// matrix reads the weights of p as rows [width, input], with what the plan
// folds into them.
func (s *Store) matrix(p Product) ([]float32, error) {
	values, err := s.readAll(p.names(".weight"), p.Output, p.Input)
	if err != nil {
		return nil, err
	}
	rows, columns := s.plan.rows[p.Name()], s.plan.columns[p.Name()]
	for i := range p.Width() {
		row := values[i*p.Input : (i+1)*p.Input]
		scaleBy(row, rows)
		if columns != nil {
			for j := range row {
				row[j] /= columns[i]
			}
		}
	}
	return values, nil
}

// transpose turns a row-major matrix [rows, columns] into [columns, rows].
func transpose(values []float32, rows, columns int) []float32 {
	const block = 32 // of rows and columns, to stay in the cache
	result := make([]float32, len(values))
	for top := 0; top < rows; top += block {
		for left := 0; left < columns; left += block {
			for i := top; i < min(top+block, rows); i++ {
				for j := left; j < min(left+block, columns); j++ {
					result[j*rows+i] = values[i*columns+j]
				}
			}
		}
	}
	return result
}

// scaleBy scales values by factors, if there are any.
func scaleBy(values, factors []float32) {
	if factors == nil {
		return
	}
	for i := range values {
		values[i] *= factors[i]
	}
}

// divide divides values by divisors, if there are any.
func divide(values, divisors []float32) {
	if divisors == nil {
		return
	}
	for i := range values {
		values[i] /= divisors[i]
	}
}
