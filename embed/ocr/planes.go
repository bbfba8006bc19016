package ocr

import (
	"math"

	"mekiki/embed/pixels"
)

// scaled resizes a picture by linear interpolation between the centres of pixels, without averaging: as the models were
// trained and OpenCV's INTER_LINEAR computes.
func scaled(m *pixels.Image, width, height int) (*pixels.Image, error) {
	out, err := pixels.New(width, height)
	if err != nil || m.Width == width && m.Height == height {
		return m, err
	}
	columns, rows := steps(m.Width, width), steps(m.Height, height)
	for y, row := range rows {
		upper, lower := m.Pix[3*m.Width*row.from:], m.Pix[3*m.Width*row.to:]
		target := out.Pix[3*width*y:]
		for x, column := range columns {
			for c := range 3 {
				first := mix(upper[3*column.from+c], upper[3*column.to+c], column.share)
				second := mix(lower[3*column.from+c], lower[3*column.to+c], column.share)
				target[3*x+c] = uint8(first + (second-first)*row.share + 0.5)
			}
		}
	}
	return out, nil
}

func mix(a, b uint8, share float32) float32 { return float32(a) + (float32(b)-float32(a))*share }

// step says between which two pixels a new one lies, and how far from the first.
type step struct {
	from, to int
	share    float32
}

func steps(from, to int) []step {
	list := make([]step, to)
	scale := float64(from) / float64(to)
	for i := range list {
		at := (float64(i)+0.5)*scale - 0.5
		first := int(math.Floor(at))
		share := float32(at - float64(first))
		if first < 0 {
			first, share = 0, 0
		}
		if first >= from-1 {
			first, share = from-1, 0
		}
		list[i] = step{first, min(first+1, from-1), share}
	}
	return list
}

// planesInto writes a picture as blue, green and red planes of -1 to 1 into values of planes [3 height width], from the left on.
func planesInto(values []float32, m *pixels.Image, width int) {
	plane := len(values) / 3
	for y := range m.Height {
		for x := range m.Width {
			at := 3 * (y*m.Width + x)
			for c := range 3 {
				values[c*plane+y*width+x] = float32(m.Pix[at+2-c])/127.5 - 1
			}
		}
	}
}
