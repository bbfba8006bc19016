package pixels

import (
	"math"
	"math/bits"
	"slices"
)

// hashSide is the side of the picture whose frequencies are hashed.
const hashSide = 32

// PerceptualHash returns 64 bits that stay nearly the same when a picture is
// scaled, recompressed, brightened or slightly retouched. Compare two with
// HammingDistance: up to about 10 bits apart is most likely the same picture.
//
// It is the DCT hash known as pHash: the brightness (BT.601 luma) at 32x32
// pixels, its two-dimensional discrete cosine transform, and of the 8x8 lowest
// frequencies without the constant ones a bit each, from the lowest bit up and
// row by row, set where the coefficient is above the median of the 64. The
// arithmetic is in integers, so that a hash is the same on every machine. A
// picture without any structure has hash 0.
func PerceptualHash(m *Image) uint64 {
	if !m.valid() {
		return 0
	}
	small, err := Resize(reduce(m, m.Width/(2*hashSide), m.Height/(2*hashSide)), hashSide, hashSide)
	if err != nil {
		return 0
	}
	coefficients := lowFrequencies(small)
	sorted := coefficients
	slices.Sort(sorted[:])
	median := sorted[len(sorted)/2-1]/2 + sorted[len(sorted)/2]/2
	var hash uint64
	for i, coefficient := range coefficients {
		if coefficient > median {
			hash |= 1 << i
		}
	}
	return hash
}

// lowFrequencies returns the cosine transform of the brightness of an image of
// hashSide, for frequencies 1 to 8 down and across.
func lowFrequencies(m *Image) [64]int64 {
	const scale = 1 << 14
	var cosines [8][hashSide]int64
	for u := range cosines {
		for x := range hashSide {
			angle := math.Pi * float64(u+1) * (float64(x) + 0.5) / hashSide
			cosines[u][x] = int64(math.Round(math.Cos(angle) * scale))
		}
	}
	var rows [hashSide][8]int64
	for y := range hashSide {
		for x := range hashSide {
			brightness := luma(m.Pix[3*(y*hashSide+x):])
			for u := range cosines {
				rows[y][u] += brightness * cosines[u][x]
			}
		}
	}
	var out [64]int64
	for v := range cosines {
		for u := range cosines {
			sum := int64(0)
			for y := range hashSide {
				sum += rows[y][u] / 1000 * cosines[v][y]
			}
			out[8*v+u] = sum / scale
		}
	}
	return out
}

// luma returns 1000 times the brightness of a pixel.
func luma(rgb []byte) int64 {
	return 299*int64(rgb[0]) + 587*int64(rgb[1]) + 114*int64(rgb[2])
}

// HammingDistance returns in how many of their 64 bits two perceptual hashes
// differ: 0 for the same picture, about 32 for unrelated ones.
func HammingDistance(a, b uint64) int { return bits.OnesCount64(a ^ b) }
