package pixels

import (
	"errors"
	"fmt"
	"math"
)

// Resize returns m at another size, equal to the bit to Image.resize((width,
// height), BICUBIC) of an RGB image in Pillow 13: a cubic filter with a = -0.5
// that widens as the image shrinks, its weights in 22-bit fixed point, applied
// along one axis, rounded to bytes, and then along the other. Columns come
// first only where the height shrinks by more than twice as many pixels as the
// width; older versions of Pillow always start with the rows, and differ there
// by a level or so.
func Resize(m *Image, width, height int) (*Image, error) {
	if !m.valid() {
		return nil, errors.New("resize: the image is empty")
	}
	if _, err := sizeOf(width, height); err != nil {
		return nil, fmt.Errorf("resize: %w", err)
	}
	lost := m.Height - height
	steps := []func(*Image) (*Image, error){
		func(m *Image) (*Image, error) { return resizeWidth(m, width) },
		func(m *Image) (*Image, error) { return resizeHeight(m, height) },
	}
	if lost > 0 && lost > 2*(m.Width-width) {
		steps[0], steps[1] = steps[1], steps[0]
	}
	out := m
	for _, step := range steps {
		var err error
		if out, err = step(out); err != nil {
			return nil, fmt.Errorf("resize: %w", err)
		}
	}
	if out == m {
		out = m.Clone()
	}
	return out, nil
}

// resizeWidth resamples every row; it returns m itself when nothing changes.
func resizeWidth(m *Image, width int) (*Image, error) {
	if width == m.Width {
		return m, nil
	}
	out, err := New(width, m.Height)
	if err != nil {
		return nil, err
	}
	out.Format = m.Format
	k := newKernel(m.Width, width)
	parallel(m.Height, 3*len(k.weights), func(first, last int) {
		for y := first; y < last; y++ {
			k.row(out.Pix[3*y*width:3*(y+1)*width], m.Pix[3*y*m.Width:3*(y+1)*m.Width])
		}
	})
	return out, nil
}

// resizeHeight resamples every column; it returns m itself when nothing
// changes.
func resizeHeight(m *Image, height int) (*Image, error) {
	if height == m.Height {
		return m, nil
	}
	out, err := New(m.Width, height)
	if err != nil {
		return nil, err
	}
	out.Format = m.Format
	k := newKernel(m.Height, height)
	stride := 3 * m.Width
	parallel(height, k.width*stride, func(first, last int) {
		sums := make([]int32, stride)
		for y := first; y < last; y++ {
			k.column(out.Pix[y*stride:(y+1)*stride], m.Pix, y, sums)
		}
	})
	return out, nil
}

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
}

// window is the input from start on; its weights are weights[from:to].
type window struct{ start, from, to int }

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
		k.windows[o] = window{start, from, len(k.weights)}
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

// row resamples one row of pixels.
func (k kernel) row(dst, src []byte) {
	for x, w := range k.windows {
		weights := k.weights[w.from:w.to]
		pixels := src[3*w.start:]
		pixels = pixels[: 3*len(weights) : 3*len(weights)]
		r, g, b := int32(half), int32(half), int32(half)
		for _, weight := range weights {
			if len(pixels) < 3 {
				break // cannot be: it spares the bounds checks below
			}
			r += int32(pixels[0]) * weight
			g += int32(pixels[1]) * weight
			b += int32(pixels[2]) * weight
			pixels = pixels[3:]
		}
		to := dst[3*x : 3*x+3 : 3*x+3]
		to[0], to[1], to[2] = clamp(r>>precision), clamp(g>>precision), clamp(b>>precision)
	}
}

// column computes row y of the output from the rows of src; sums is room for
// one row.
func (k kernel) column(dst, src []byte, y int, sums []int32) {
	for x := range sums {
		sums[x] = half
	}
	w := k.windows[y]
	stride := len(dst)
	for i, weight := range k.weights[w.from:w.to] {
		row := src[(w.start+i)*stride:][:len(sums)]
		for x, value := range row {
			sums[x] += int32(value) * weight
		}
	}
	for x, sum := range sums {
		dst[x] = clamp(sum >> precision)
	}
}
