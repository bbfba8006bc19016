package topk

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLists offers scores, many of them equal or in order, and compares what is kept with what sorting all gives.
func TestLists(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	for name, score := range map[string]func(i int) float64{
		"drawn": func(int) float64 { return random.Float64() }, "few different": func(int) float64 { return float64(random.IntN(4)) },
		"ascending": func(i int) float64 { return float64(i) }, "descending": func(i int) float64 { return float64(-i) }, "equal": func(int) float64 { return 1 },
		"up and down": func(i int) float64 { return math.Abs(float64(i%200 - 100)) },
	} {
		for _, k := range []int{1, 2, 7, 100, 1500} {
			list, many, scores := New[int](k), NewMany[int](k), []float64(nil)
			for i := range 1000 {
				one := score(i)
				scores = append(scores, one)
				list.Offer(one, i)
				many.Offer(one, i)
				if over := many.Threshold(); over > list.Threshold() {
					t.Fatalf("%s, %d of %d: threshold %g above %g", name, k, i, over, list.Threshold())
				}
			}
			values := slices.Clone(scores)
			slices.SortFunc(scores, func(a, b float64) int { return cmp.Compare(b, a) })
			want := scores[:min(k, len(scores))]
			for kind, got := range map[string][]Scored[int]{"list": list.Sorted(func(i int) uint64 { return uint64(i) }), "many": many.Sorted(func(i int) uint64 { return uint64(i) })} {
				if len(got) != len(want) {
					t.Fatalf("%s, %s: %d of %d", name, kind, len(got), len(want))
				}
				seen := map[int]bool{}
				for i, one := range got {
					if one.Score != want[i] || values[one.Value] != one.Score || seen[one.Value] || i > 0 && got[i-1].Score == one.Score && got[i-1].Value > one.Value {
						t.Fatalf("%s, %s of %d: place %d has %+v, want %g", name, kind, k, i, one, want[i])
					}
					seen[one.Value] = true
				}
			}
		}
	}
}
