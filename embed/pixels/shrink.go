package pixels

import (
	"errors"
	"math"

	"mekiki/embed/pixels/resample"
)

// Shrink returns m with its longer side at most longestSide pixels and its
// aspect kept; an image that is small enough is returned as it is. It is for
// looking at: much faster than Resize on a large image, and within a few
// levels of it, because it averages whole blocks of pixels first and then
// resizes from at least twice the wanted size.
func Shrink(m *Image, longestSide int) (*Image, error) {
	if !m.valid() || longestSide < 1 {
		return nil, errors.New("shrink: the image is empty or the side is below 1")
	}
	longest := max(m.Width, m.Height)
	if longest <= longestSide {
		return m, nil
	}
	scale := float64(longestSide) / float64(longest)
	width := max(1, int(math.Round(float64(m.Width)*scale)))
	height := max(1, int(math.Round(float64(m.Height)*scale)))
	return Resize(reduce(m, m.Width/(2*width), m.Height/(2*height)), width, height)
}

// reduce averages blocks of across by down pixels; what is left over at the
// right and the bottom is averaged in smaller blocks.
func reduce(m *Image, across, down int) *Image {
	across, down = max(across, 1), max(down, 1)
	if across == 1 && down == 1 {
		return m
	}
	width, height := (m.Width+across-1)/across, (m.Height+down-1)/down
	out := &Image{Pix: make([]byte, 3*width*height), Width: width, Height: height, Format: m.Format}
	resample.Parallel(height, 3*m.Width*down, func(first, last int) {
		sums := make([]uint32, 3*width)
		for y := first; y < last; y++ {
			clear(sums)
			top, bottom := y*down, min((y+1)*down, m.Height)
			for _, row := range rows(m, top, bottom) {
				addBlocks(sums, row, across)
			}
			dst := out.Pix[3*y*width:]
			for x := range width {
				count := uint32((bottom - top) * min(across, m.Width-x*across))
				for c := range 3 {
					dst[3*x+c] = byte((sums[3*x+c] + count/2) / count)
				}
			}
		}
	})
	return out
}

// rows yields the rows of m from top to before bottom.
func rows(m *Image, top, bottom int) func(func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		for y := top; y < bottom; y++ {
			if !yield(y, m.Pix[3*y*m.Width:3*(y+1)*m.Width]) {
				return
			}
		}
	}
}

// addBlocks adds the pixels of a row to the sums of their blocks.
func addBlocks(sums []uint32, row []byte, across int) {
	for block := 0; len(row) > 0; block += 3 {
		part := row[:min(3*across, len(row))]
		row = row[len(part):]
		var r, g, b uint32
		for ; len(part) >= 3; part = part[3:] {
			r += uint32(part[0])
			g += uint32(part[1])
			b += uint32(part[2])
		}
		sums[block] += r
		sums[block+1] += g
		sums[block+2] += b
	}
}
