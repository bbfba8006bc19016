package resample

import "math"

// precision is the number of fraction bits of a weight.
const precision = 22

// half is what a sum starts with, so that cutting the fraction off rounds it.
const half = 1 << (precision - 1)

// kernel holds the window of input that each output position sums, and its
// weights.
type kernel struct {
	windows []window
	weights []int32
	width   int // of the widest window
	// spread holds the weights three times over, one for each byte of a
	// pixel, and zeros to fill blocks of eight pixels; nil where the processor
	// has no use for it.
	spread []int32
}

// window is the input from start on; its weights are weights[from:to]. The
// spread ones start at block times 24.
type window struct{ start, from, to, block int }

// newKernel computes the weights that take an axis from one length to another.
func newKernel(in, out int) kernel {
	scale := float64(in) / float64(out)
	filterScale := max(scale, 1)
	support := 2 * filterScale
	inverse := 1 / filterScale
	k := kernel{windows: make([]window, out)}
	values := make([]float64, int(math.Ceil(support))*2+1)
	k.weights = make([]int32, 0, out*min(len(values), in))
	for o := range out {
		center := (float64(o) + 0.5) * scale
		start := max(int(center-support+0.5), 0)
		length := min(int(center+support+0.5), in) - start
		sum := 0.0
		for i := range length {
			values[i] = cubic((float64(i+start) - center + 0.5) * inverse)
			sum += values[i]
		}
		from := len(k.weights)
		for _, value := range values[:length] {
			if sum != 0 {
				value /= sum
			}
			k.weights = append(k.weights, fixed(value))
		}
		k.windows[o] = window{start: start, from: from, to: len(k.weights)}
		k.width = max(k.width, length)
	}
	return k
}

// cubic is the convolution kernel with a = -0.5. The conversions keep a
// processor that can fuse a product and a sum from doing so, which would round
// otherwise.
func cubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	if x < 1 {
		inner := float64(float64((a+2)*x)-(a+3)) * x
		return float64(inner*x) + 1
	}
	if x < 2 {
		inner := float64(float64((x-5)*x)+8) * x
		return (inner - 4) * a
	}
	return 0
}

// fixed rounds a weight to fixed point, halves away from zero.
func fixed(value float64) int32 {
	return int32(float64(value*(1<<precision)) + math.Copysign(0.5, value))
}

// blockPixels is how many pixels sumPixels takes at a time.
const blockPixels = 8

// blocks returns how many blocks of pixels a window fills.
func (w window) blocks() int { return (w.to - w.from + blockPixels - 1) / blockPixels }

// prepare spreads the weights out for sumPixels.
func (k *kernel) prepare() {
	if !hasSums() {
		return
	}
	total := 0
	for i := range k.windows {
		k.windows[i].block = total
		total += k.windows[i].blocks()
	}
	k.spread = make([]int32, 3*blockPixels*total)
	for _, w := range k.windows {
		out := k.spread[3*blockPixels*w.block:]
		for i, weight := range k.weights[w.from:w.to] {
			out[3*i], out[3*i+1], out[3*i+2] = weight, weight, weight
		}
	}
}

// row resamples one row of pixels. src starts with the row, and whatever
// follows it in memory may follow it.
func (k *kernel) row(dst, src []byte) {
	for x, w := range k.windows {
		var r, g, b int32
		pixels := src[3*w.start:]
		if blocks := w.blocks(); k.spread != nil && 3*blockPixels*blocks <= len(pixels) {
			var sums [3 * blockPixels]int32
			sumPixels(&pixels[0], &k.spread[3*blockPixels*w.block], blocks, &sums)
			for i := 0; i < len(sums); i += 3 {
				r, g, b = r+sums[i], g+sums[i+1], b+sums[i+2]
			}
		} else {
			r, g, b = sumWindow(pixels, k.weights[w.from:w.to])
		}
		to := dst[3*x : 3*x+3 : 3*x+3]
		to[0], to[1], to[2] = level(r), level(g), level(b)
	}
}

// level rounds a sum to a byte.
func level(sum int32) byte {
	switch value := (sum + half) >> precision; {
	case uint32(value) <= 255: // nearly always: faster than min and max
		return byte(value)
	case value < 0:
		return 0
	}
	return 255
}

// sumWindow adds up the products of pixels and weights.
func sumWindow(pixels []byte, weights []int32) (r, g, b int32) {
	pixels = pixels[: 3*len(weights) : 3*len(weights)]
	for _, weight := range weights {
		if len(pixels) < 3 {
			break // cannot be: it spares the bounds checks below
		}
		r += int32(pixels[0]) * weight
		g += int32(pixels[1]) * weight
		b += int32(pixels[2]) * weight
		pixels = pixels[3:]
	}
	return r, g, b
}

// columns computes row y of the output from the rows of src; sums is room for
// one row.
func (k *kernel) columns(dst, src []byte, y int, sums []int32) {
	const together = 32
	w := k.windows[y]
	stride := len(dst)
	weights, rows := k.weights[w.from:w.to], src[w.start*stride:]
	done := 0
	if hasSums() {
		for ; done+together <= stride; done += together {
			var part [together]int32
			sumRows(&rows[done], stride, &weights[0], len(weights), &part)
			copy(sums[done:], part[:])
		}
	}
	sumColumns(sums[done:], rows[min(done, len(rows)):], stride, weights)
	for x, sum := range sums {
		dst[x] = level(sum)
	}
}

// sumColumns adds up the products of rows, stride bytes apart, and weights.
func sumColumns(sums []int32, rows []byte, stride int, weights []int32) {
	clear(sums)
	for i, weight := range weights {
		row := rows[min(i*stride, len(rows)):]
		row = row[:len(sums)]
		for x, value := range row {
			sums[x] += int32(value) * weight
		}
	}
}
