package checkpoint

import "math"

// bicubicA is the coefficient of torch's bicubic kernel.
const bicubicA = -0.75

// interpolatePositions resizes a position embedding, [1 + from*from, width], to [1 + to*to, width]. The class token's row
// is kept; the grid is resized as torch.nn.functional.interpolate(mode="bicubic") does, in float64.
func interpolatePositions(values []float32, from, to, width int, alignCorners bool) []float32 {
	result := make([]float32, (1+to*to)*width)
	copy(result, values[:width])
	taps := cubicTaps(from, to, alignCorners)
	grid := values[width:]
	rows := make([]float64, to*from*width) // resized vertically
	for y, tap := range taps {
		row := rows[y*from*width : (y+1)*from*width]
		for k, source := range tap.index {
			weight := tap.weight[k]
			for i, value := range grid[source*from*width : (source+1)*from*width] {
				row[i] += weight * float64(value)
			}
		}
	}
	sums := make([]float64, width)
	for y := range to {
		for x, tap := range taps {
			clear(sums)
			for k, source := range tap.index {
				start := (y*from + source) * width
				for i, value := range rows[start : start+width] {
					sums[i] += tap.weight[k] * value
				}
			}
			target := result[(1+y*to+x)*width:]
			for i, sum := range sums {
				target[i] = float32(sum)
			}
		}
	}
	return result
}

// cubicTap holds the four source positions, clamped to the edge, and weights of one output position.
type cubicTap struct {
	index  [4]int
	weight [4]float64
}

// cubicTaps computes the taps of one axis, with half-pixel centres or with the outermost centres aligned.
func cubicTaps(from, to int, alignCorners bool) []cubicTap {
	taps := make([]cubicTap, to)
	scale := float64(from) / float64(to)
	if alignCorners {
		scale = float64(from-1) / float64(max(to-1, 1))
	}
	for i := range taps {
		centre := (float64(i)+0.5)*scale - 0.5
		if alignCorners {
			centre = float64(i) * scale
		}
		floor := math.Floor(centre)
		for k := range 4 {
			position := floor + float64(k-1)
			taps[i].index[k] = min(max(int(position), 0), from-1)
			taps[i].weight[k] = cubicWeight(math.Abs(centre - position))
		}
	}
	return taps
}

// cubicWeight is Keys's cubic convolution kernel for a distance of at least zero.
func cubicWeight(x float64) float64 {
	switch {
	case x <= 1:
		return ((bicubicA+2)*x-(bicubicA+3))*x*x + 1
	case x < 2:
		return ((bicubicA*x-5*bicubicA)*x+8*bicubicA)*x - 4*bicubicA
	}
	return 0
}
