package representatives

import (
	"math"
	"testing"
)

func TestRepresentativesStandForTheirRows(t *testing.T) {
	const width = 70
	var rows []float32
	for i := range 12 { // three directions, four rows near each
		row := make([]float32, width)
		row[i%3], row[10+i] = 1, 0.1
		rows = append(rows, row...)
	}
	for most, want := range map[int]int{1: 1, 2: 2, 3: 3, 4: 3} {
		merged := Of(rows, width, most)
		if len(merged) != want {
			t.Errorf("at most %d: %d", most, len(merged))
		}
		for _, vector := range merged {
			if length := math.Sqrt(dotOf(vector, vector)); math.Abs(length-1) > 1e-5 {
				t.Errorf("length %g", length)
			}
		}
		for i := range 12 {
			best := 0.0
			for _, vector := range merged {
				best = max(best, dotOf(vector, rows[i*width:(i+1)*width]))
			}
			if least := map[bool]float64{true: 0.95, false: 0.3}[want == 3]; best < least {
				t.Errorf("at most %d: nothing stands for row %d: %g", most, i, best)
			}
		}
	}
	if merged := Of(rows[:width], width, 4); len(merged) != 1 || &merged[0][0] != &rows[0] {
		t.Errorf("of one row: %v", merged)
	}
	if merged := Of(nil, width, 4); merged != nil {
		t.Errorf("of nothing: %v", merged)
	}
}
