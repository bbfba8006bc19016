package quantize

import (
	"bytes"
	"math"
)

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

// quantizeBlocks turns each block of size columns of each row of a matrix [rows, columns]
// into 8-bit integers around 128 by one scale, largest magnitude over 127.
// The last block of a row is filled with zeros.
func quantizeBlocks(values []float32, rows, columns, size int) (codes []byte, scales []float32) {
	count := (columns + size - 1) / size
	codes = bytes.Repeat([]byte{128}, rows*count*size)
	scales = make([]float32, rows*count)
	for i := range rows {
		for block := range count {
			start := i*columns + block*size
			part := values[start:min(start+size, (i+1)*columns)]
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
				codes[at*size+j] = byte(128 + max(-127, min(127, code)))
			}
		}
	}
	return codes, scales
}
