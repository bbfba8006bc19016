// Package kernels computes dot products of 8-bit codes, by the fastest instructions that the
// processor has.
package kernels

// Block is the number of bytes that the widest kernel reads at once.
const Block = 64

// A Kernel computes the dot products of one query with consecutive rows of biased
// codes: out[i] = sum over j of int32(query[j]) * int32(rows[i*len(query)+j]).
// len(query) is a multiple of Block, len(rows) is len(out)*len(query). Sums are
// exact in int32 for rows of up to 65,536 bytes, so all kernels agree to the bit.
type Kernel struct {
	// Name is of the instructions.
	Name string
	// Dot computes them.
	Dot func(query []int8, rows []byte, out []int32)
	// Gather is the same for rows that are not consecutive, each as long as the query.
	Gather func(query []int8, rows [][]byte, out []int32)
}

// All lists what this processor can run, the fastest first. The last is
// always the portable one.
func All() []Kernel {
	return append(nativeKernels(), Kernel{"scalar", dotScalar, rowByRow(dotScalar)})
}

// dotScalar is the portable kernel, and the meaning of the others.
func dotScalar(query []int8, rows []byte, out []int32) {
	stride := len(query)
	for i := range out {
		row := rows[i*stride : (i+1)*stride]
		var sum int32
		for j, value := range query {
			sum += int32(value) * int32(row[j])
		}
		out[i] = sum
	}
}

// rowByRow gathers by a kernel of consecutive rows.
func rowByRow(dot func(query []int8, rows []byte, out []int32)) func(query []int8, rows [][]byte, out []int32) {
	return func(query []int8, rows [][]byte, out []int32) {
		for i, row := range rows {
			dot(query, row, out[i:i+1])
		}
	}
}
