package representatives

import (
	"math"
	"slices"

	"mekiki/index/vector/kernels"
	"mekiki/index/vector/quantized"
)

// Of merges rows of a width, one after the other, into a few unit vectors that
// stand for them, as the inverted lists do: rows near each other are replaced by their mean.
// There are four at most, and no more than most, which is at least one. Of a single row it is
// that row.
func Of(rows []float32, width, most int) [][]float32 {
	count := len(rows) / max(width, 1)
	if count == 0 {
		return nil
	}
	if count == 1 {
		return [][]float32{rows[:width]}
	}
	coded, codes := quantized.Encode(rows[:min(count, blockRows)*width], width)
	var merged [][]float32
	NewMerger(width, Default, kernels.All()[0]).Merge(codes, coded, func(mean []float32) {
		if unit := unitOf(mean); unit != nil {
			merged = append(merged, unit)
		}
	})
	for len(merged) > most {
		merged = joinNearest(merged)
	}
	return merged
}

// unitOf gives the unit vector of a direction; nil for zeros.
func unitOf(values []float32) []float32 {
	sum := dotOf(values, values)
	if sum == 0 {
		return nil
	}
	unit := make([]float32, len(values))
	for i, value := range values {
		unit[i] = float32(float64(value) / math.Sqrt(sum))
	}
	return unit
}

func dotOf(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// joinNearest puts the mean of the two vectors that are nearest in the place of both.
func joinNearest(vectors [][]float32) [][]float32 {
	first, second, best := 0, 1, math.Inf(-1)
	for i := range vectors {
		for j := range i {
			if cosine := dotOf(vectors[i], vectors[j]); cosine > best {
				first, second, best = j, i, cosine
			}
		}
	}
	mean := make([]float32, len(vectors[first]))
	for i := range mean {
		mean[i] = vectors[first][i] + vectors[second][i]
	}
	joined := slices.Delete(slices.Clone(vectors), second, second+1)
	if joined[first] = unitOf(mean); joined[first] == nil {
		joined[first] = vectors[first]
	}
	return joined
}
