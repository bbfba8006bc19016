// Package quantized codes vectors in 8 bits a value, with a scale for each vector, and bounds what dot products of codes can be off by.
package quantized

import (
	"math"

	"mekiki/index/vector/codes"
	"mekiki/index/vector/kernels"
)

// Bias turns a signed code into the unsigned byte that is stored: VPDPBUSD and its
// like multiply unsigned bytes with signed ones.
const Bias = 128

// Values writes the codes of a vector, biased, into codes and returns the scale:
// value i is about scale * (codes[i] - 128). The largest magnitude becomes 127; a
// vector of zeros has scale 0. Rounding is to nearest, halves to even.
func Values(codes []byte, values []float32) (scale float32) {
	var largest float32
	for _, value := range values {
		largest = max(largest, float32(math.Abs(float64(value))))
	}
	if largest == 0 {
		for i := range codes {
			codes[i] = Bias
		}
		return 0
	}
	inverse := 127 / float64(largest)
	for i, value := range values {
		codes[i] = byte(int(math.RoundToEven(float64(value)*inverse)) + Bias)
	}
	return largest / 127
}

// norms gives the Euclidean norms of scale*code, the vector that the codes stand for,
// and of the residual, by which the vector differs from it.
func norms(codes []byte, scale float32, values []float32) (coded, residual float64) {
	for i, value := range values {
		back := float64(scale) * float64(int(codes[i])-Bias)
		coded += back * back
		residual += (float64(value) - back) * (float64(value) - back)
	}
	return math.Sqrt(coded), math.Sqrt(residual)
}

// Row quantizes a row into coded, whose bytes beyond its width stay as they are, and gives what is known of it beside its codes.
func Row(coded []byte, values []float32) codes.Row {
	const up = 1 + 1e-6 // more than rounding to float32 takes away
	scale := Values(coded[:len(values)], values)
	norm, residual := norms(coded, scale, values)
	return codes.Row{Scale: scale, Coded: float32(norm * up), Residual: float32(residual * up)}
}

// Query is a query vector as the kernels take it.
type Query struct {
	Codes []int8 // signed, padded like the rows it is compared with
	Shift int32  // 128 times the sum of the codes: what the bias of a row adds
	Scale float64
	width int
	// The dot product of the codes differs from the one in float32 by at most so much
	// for each unit of the row's coded norm, and of its residual norm.
	perCoded, perResidual float64
}

// NewQuery quantizes a query of any width for rows of stride bytes.
//
// With query q = a + e and row r = b + f, a and b being what the codes stand for,
// q*r - a*b = e*b + q*f, which by Cauchy and Schwarz is at most |e||b| + |q||f|.
// Summing width products in float32, in order, is off by at most about
// width * 2^-24 * |q||r| (Higham, Accuracy and Stability of Numerical Algorithms,
// section 3.1); twice that is allowed for, and |r| <= |b| + |f|.
func NewQuery(values []float32, stride int) Query {
	biased := make([]byte, len(values))
	scale := Values(biased, values)
	code := Query{Codes: make([]int8, stride), Scale: float64(scale), width: len(values)}
	for i, value := range biased {
		code.Codes[i] = int8(int(value) - Bias)
		code.Shift += Bias * int32(code.Codes[i])
	}
	coded, residual := norms(biased, scale, values)
	norm := coded + residual
	rounding := float64(len(values)+8) * 0x1p-23 * norm
	code.perCoded, code.perResidual = residual+rounding, norm+rounding
	return code
}

// Bounds gives the bounds of the float32 dot product of the query and a row, for which
// the kernel gave product.
func (q *Query) Bounds(row codes.Row, product int32) (lower, upper float64) {
	const underflow = 1e-38 // products too small for float32 may be off by all they are
	middle := q.Scale * float64(row.Scale) * float64(product-q.Shift)
	slack := q.perCoded*float64(row.Coded) + q.perResidual*float64(row.Residual) + underflow
	return middle - slack, middle + slack
}

// LikelyBounds gives bounds that are very likely instead of certain, and narrower. The
// residual points anywhere, so its dot product with a vector is about normal, with
// a standard deviation of the two norms' product divided by the root of the number
// of dimensions; four times that is allowed for.
func (q *Query) LikelyBounds(row codes.Row, product int32) (lower, upper float64) {
	lower, upper = q.Bounds(row, product)
	middle := q.Scale * float64(row.Scale) * float64(product-q.Shift)
	one, two := q.perCoded*float64(row.Coded), q.perResidual*float64(row.Residual)
	slack := 4 * math.Sqrt((one*one+two*two)/float64(q.width))
	return max(lower, middle-slack), min(upper, middle+slack)
}

// Stride is the number of bytes of a row: width rounded up to whole blocks of the
// widest kernel, so that kernels need no tail. Bytes beyond width are 0.
func Stride(width int) int { return (width + kernels.Block - 1) / kernels.Block * kernels.Block }

// AddTo adds what codes stand for to a vector.
func AddTo(sum []float32, codes []byte, scale float32) {
	codes = codes[:len(sum)]
	for i, code := range codes {
		sum[i] += scale * float32(int(code)-Bias)
	}
}

// Unbias turns stored codes into those of a query, and gives what their bias adds to
// its products.
func Unbias(query []int8, codes []byte, width int) (shift int32) {
	for i, code := range codes[:width] {
		value := int8(int(code) - Bias)
		query[i] = value
		shift += Bias * int32(value)
	}
	return shift
}

// IsFinite reports whether a scale that was read from a file is a number.
func IsFinite(scale float32) bool { return math.Abs(float64(scale)) <= math.MaxFloat32 }

// Encode gives the codes of vectors, row after row, and what is known of each, as an index
// keeps them and as codes.Writer takes them.
func Encode(vectors []float32, width int) ([]codes.Row, []byte) {
	stride := Stride(width)
	rows, coded := make([]codes.Row, len(vectors)/width), make([]byte, len(vectors)/width*stride)
	for i := range rows {
		rows[i] = Row(coded[i*stride:], vectors[i*width:(i+1)*width])
	}
	return rows, coded
}
