package vector

// A kernel computes the dot products of one query with consecutive rows of biased
// codes: out[i] = sum over j of int32(query[j]) * int32(rows[i*len(query)+j]).
// len(query) is a multiple of block, len(rows) is len(out)*len(query). Sums are
// exact in int32 for rows of up to 65,536 bytes, so all kernels agree to the bit.
type kernel struct {
	name string
	dot  func(query []int8, rows []byte, out []int32)
	// gather is the same for rows that are not consecutive, each as long as the query.
	gather func(query []int8, rows [][]byte, out []int32)
}

// kernels lists what this processor can run, the fastest first. The last is
// always the portable one.
func kernels() []kernel {
	return append(nativeKernels(), kernel{"scalar", dotScalar, rowByRow(dotScalar)})
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
