package divide

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// dated are in order of dates, and equal dates of ID.
type dated struct {
	date int64
	id   int
}

func compare(a, b dated) int { return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.id, b.id)) }

// TestDivide: whatever order the records were in, those that belong before a position are before it.
func TestDivide(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, dateOf := range map[string]func(i, count int) int64{
		"random": func(int, int) int64 { return random.Int64N(1 << 40) }, "few": func(int, int) int64 { return random.Int64N(3) }, "equal": func(int, int) int64 { return 7 },
		"rising": func(i, _ int) int64 { return int64(i) }, "falling": func(i, _ int) int64 { return int64(-i) },
		"organ pipe": func(i, count int) int64 { return int64(min(i, count-i)) }, "saw": func(i, _ int) int64 { return int64(i % 100) },
	} {
		for _, count := range []int{1, 2, 3, 32, 33, 34, 100, 5000} {
			items := make([]dated, count)
			for i := range items {
				items[i] = dated{date: dateOf(i, count), id: i}
			}
			sorted := slices.SortedFunc(slices.Values(items), compare)
			for _, position := range []int{0, count / 3, count / 2, count - 1} {
				divided := slices.Clone(items)
				At(divided, position, compare)
				before, behind := divided[:position], divided[position+1:]
				slices.SortFunc(before, compare)
				slices.SortFunc(behind, compare)
				if !slices.Equal(divided, sorted) {
					t.Fatalf("%s: %d of %d are not divided", name, position, count)
				}
			}
		}
	}
}
