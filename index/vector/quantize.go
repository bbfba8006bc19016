package vector

import "math"

// bias turns a signed code into the unsigned byte that is stored: VPDPBUSD and its
// like multiply unsigned bytes with signed ones.
const bias = 128

// quantize writes the codes of a vector, biased, into codes and returns the scale:
// value i is about scale * (codes[i] - 128). The largest magnitude becomes 127; a
// vector of zeros has scale 0. Rounding is to nearest, halves to even.
func quantize(codes []byte, values []float32) (scale float32) {
	var largest float32
	for _, value := range values {
		largest = max(largest, float32(math.Abs(float64(value))))
	}
	if largest == 0 {
		for i := range codes {
			codes[i] = bias
		}
		return 0
	}
	inverse := 127 / float64(largest)
	for i, value := range values {
		codes[i] = byte(int(math.RoundToEven(float64(value)*inverse)) + bias)
	}
	return largest / 127
}

// queryCode is a query vector as the kernels take it.
type queryCode struct {
	codes []int8  // signed, padded like the rows it is compared with
	shift int32   // 128 times the sum of the codes: what the bias of a row adds
	scale float32 // as of quantize
}

// newQueryCode quantizes a query of any width for rows of stride bytes.
func newQueryCode(values []float32, stride int) queryCode {
	biased := make([]byte, len(values))
	code := queryCode{codes: make([]int8, stride), scale: quantize(biased, values)}
	for i, value := range biased {
		code.codes[i] = int8(int(value) - bias)
		code.shift += bias * int32(code.codes[i])
	}
	return code
}

// strideOf is the number of bytes of a row: width rounded up to whole blocks of the
// widest kernel, so that kernels need no tail. Bytes beyond width are 0.
func strideOf(width int) int { return (width + block - 1) / block * block }

// block is the number of bytes that the widest kernel reads at once.
const block = 64
