package resample

// Rows resamples each of height rows of src from one number of pixels to another, and
// writes them to dst. Both hold whole rows of three bytes a pixel without gaps.
func Rows(dst, src []byte, from, to, height int) {
	k := newKernel(from, to)
	k.prepare()
	Parallel(height, 3*len(k.weights), func(first, last int) {
		for y := first; y < last; y++ {
			k.row(dst[3*y*to:3*(y+1)*to], src[3*y*from:])
		}
	})
}

// Columns resamples each of width columns of src from one number of pixels to another,
// and writes them to dst. Both hold whole rows of three bytes a pixel without gaps.
func Columns(dst, src []byte, width, from, to int) {
	k := newKernel(from, to)
	stride := 3 * width
	Parallel(to, k.width*stride, func(first, last int) {
		sums := make([]int32, stride)
		for y := first; y < last; y++ {
			k.columns(dst[y*stride:(y+1)*stride], src, y, sums)
		}
	})
}
