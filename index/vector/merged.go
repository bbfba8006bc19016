package vector

import "math"

// Representatives merges rows of a width, one after the other, into at most four unit
// vectors that stand for them, as the inverted lists do: rows near each other are replaced
// by their mean. Of a single row it is that row.
func Representatives(rows []float32, width int) [][]float32 {
	count := len(rows) / max(width, 1)
	if count == 0 {
		return nil
	}
	if count == 1 {
		return [][]float32{rows[:width]}
	}
	count = min(count, mergeRows)
	codes, coded := make([]byte, count*strideOf(width)), make([]rowCode, count)
	for i := range coded {
		coded[i] = newRowCode(codes[i*strideOf(width):], rows[i*width:(i+1)*width])
	}
	var merged [][]float32
	newMerger(width, kernels()[0]).merge(codes, coded, func(mean []float32) {
		var sum float64
		for _, value := range mean {
			sum += float64(value) * float64(value)
		}
		if sum == 0 {
			return
		}
		unit := make([]float32, width)
		for i, value := range mean {
			unit[i] = float32(float64(value) / math.Sqrt(sum))
		}
		merged = append(merged, unit)
	})
	return merged
}
