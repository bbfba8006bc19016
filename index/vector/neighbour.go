package vector

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrVectors is wrapped by every error about vectors that do not suit an index:
// none, of another width, or with values that are no numbers or huge.
var ErrVectors = errors.New("unsuitable vectors")

// Neighbour is a group found near a query.
type Neighbour struct {
	// Group is the group's number.
	Group uint64
	// Score is the largest dot product of any query with any vector of the group.
	Score float32
	// Part is the row, from zero, of the group's vector that scored; of equals, the
	// first.
	Part int
}

// checkRows says what is wrong with rows of a width.
func checkRows(values []float32, width int) error {
	if width <= 0 || width > maximumWidth {
		return fmt.Errorf("%w: width %d is not in 1 to %d", ErrVectors, width, maximumWidth)
	}
	if len(values) == 0 || len(values)%width != 0 {
		return fmt.Errorf("%w: %d values, expected a positive multiple of %d", ErrVectors, len(values), width)
	}
	for i, value := range values {
		if math.IsNaN(float64(value)) || math.Abs(float64(value)) > largestValue {
			return fmt.Errorf("%w: value %d of row %d is %g, not in -%g to %g", ErrVectors, i%width, i/width, value, largestValue, largestValue)
		}
	}
	return nil
}

// similarity is ITC's: the largest dot product of any query with any row, and the
// first row that has it.
func similarity(queries, rows []float32, width int) (best float32, part int) {
	best = float32(math.Inf(-1))
	for row := 0; row*width < len(rows); row++ {
		vector := rows[row*width : (row+1)*width]
		for start := 0; start < len(queries); start += width {
			if sum := dot(queries[start:start+width], vector); sum > best {
				best, part = sum, row
			}
		}
	}
	return best, part
}

// dot adds in order, so that a score depends on its two vectors alone.
func dot(a, b []float32) (sum float32) {
	b = b[:len(a)]
	for i, value := range a {
		sum += value * b[i]
	}
	return sum
}

// best sorts neighbours and keeps the first k.
func best(found []Neighbour, k int) []Neighbour {
	slices.SortFunc(found, func(a, b Neighbour) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Group, b.Group))
	})
	return found[:max(0, min(k, len(found)))]
}
