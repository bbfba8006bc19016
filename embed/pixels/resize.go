package pixels

import (
	"fmt"
	"math"
)

// Resize returns m at another size, equal to the bit to Pillow's
// Image.resize((width, height), BICUBIC) of an RGB image: a cubic filter with
// a = -0.5 that widens as the image shrinks, its weights in 22-bit fixed
// point, applied to the rows, rounded to bytes, and then to the columns
// (Pillow, src/libImaging/Resample.c).
func Resize(m *Image, width, height int) (*Image, error) {
	if !m.valid() {
		return nil, fmt.Errorf("resize: the image is empty")
	}
	out, err := New(width, height)
	if err != nil {
		return nil, fmt.Errorf("resize: %w", err)
	}
	out.Format = m.Format
	wide := m
	if width != m.Width {
		if wide, err = New(width, m.Height); err != nil {
			return nil, fmt.Errorf("resize: %w", err)
		}
		resizeRows(wide, m, newKernel(m.Width, width))
	}
	if height == m.Height {
		copy(out.Pix, wide.Pix)
		return out, nil
	}
	resizeColumns(out, wide, newKernel(m.Height, height))
	return out, nil
}

// Shrink returns m with its longer side at most longestSide pixels and its
// aspect kept. An image that is small enough is returned as it is.
func Shrink(m *Image, longestSide int) (*Image, error) {
	longest := max(m.Width, m.Height)
	if longest <= longestSide {
		return m, nil
	}
	scale := float64(longestSide) / float64(longest)
	width := max(1, int(math.Round(float64(m.Width)*scale)))
	height := max(1, int(math.Round(float64(m.Height)*scale)))
	return Resize(m, width, height)
}

const precision = 22

// kernel holds, for every output position, where its window of input starts
// and the window's weights.
type kernel struct {
	starts  []int
	lengths []int
	weights []int32 // width of them for each output position
	width   int
}

func cubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	if x < 1 {
		return ((a+2)*x-(a+3))*x*x + 1
	}
	if x < 2 {
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}

func newKernel(in, out int) kernel {
	scale := float64(in) / float64(out)
	filterScale := max(scale, 1)
	support := 2 * filterScale
	k := kernel{width: int(math.Ceil(support))*2 + 1, starts: make([]int, out), lengths: make([]int, out)}
	k.weights = make([]int32, out*k.width)
	values := make([]float64, k.width)
	inverse := 1 / filterScale
	for o := range out {
		center := (float64(o) + 0.5) * scale
		start := max(int(center-support+0.5), 0)
		end := min(int(center+support+0.5), in)
		sum := 0.0
		for i := range end - start {
			values[i] = cubic((float64(i+start) - center + 0.5) * inverse)
			sum += values[i]
		}
		for i := range end - start {
			value := values[i]
			if sum != 0 {
				value /= sum
			}
			k.weights[o*k.width+i] = int32(math.Trunc(value*(1<<precision) + math.Copysign(0.5, value)))
		}
		k.starts[o], k.lengths[o] = start, end-start
	}
	return k
}

func clip(v int32) byte {
	return byte(min(max(v>>precision, 0), 255))
}

func resizeRows(out, in *Image, k kernel) {
	for y := range in.Height {
		row := in.Pix[3*y*in.Width:]
		for x := range out.Width {
			weights := k.weights[x*k.width:][:k.lengths[x]]
			r, g, b := int32(1<<(precision-1)), int32(1<<(precision-1)), int32(1<<(precision-1))
			at := 3 * k.starts[x]
			for _, w := range weights {
				r += int32(row[at]) * w
				g += int32(row[at+1]) * w
				b += int32(row[at+2]) * w
				at += 3
			}
			to := 3 * (y*out.Width + x)
			out.Pix[to], out.Pix[to+1], out.Pix[to+2] = clip(r), clip(g), clip(b)
		}
	}
}

func resizeColumns(out, in *Image, k kernel) {
	stride := 3 * in.Width
	for y := range out.Height {
		weights := k.weights[y*k.width:][:k.lengths[y]]
		for x := range stride {
			sum := int32(1 << (precision - 1))
			at := k.starts[y]*stride + x
			for _, w := range weights {
				sum += int32(in.Pix[at]) * w
				at += stride
			}
			out.Pix[y*stride+x] = clip(sum)
		}
	}
}
