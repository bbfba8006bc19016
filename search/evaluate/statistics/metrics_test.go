package statistics

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestRecallOf(t *testing.T) {
	got := RecallOf([]Outcome{{1, 0}, {3, 0}, {0, 1}, {11, 1}, {10, 2}})
	if got.R1 != 20 || got.R5 != 40 || got.R10 != 60 || got.Queries != 5 {
		t.Errorf("got %+v", got)
	}
	if want := (1 + 1.0/3 + 1.0/11 + 1.0/10) / 5; math.Abs(got.MRR-want) > 1e-4 {
		t.Errorf("MRR %v, want %v", got.MRR, want)
	}
	if got.R10Interval[0] > got.R10 || got.R10Interval[1] < got.R10 {
		t.Errorf("interval %v does not hold %v", got.R10Interval, got.R10)
	}
	if again := RecallOf([]Outcome{{1, 0}, {3, 0}, {0, 1}, {11, 1}, {10, 2}}); again != got {
		t.Error("the same outcomes give another interval")
	}
	if empty := RecallOf(nil); empty != (Recall{}) {
		t.Errorf("got %+v", empty)
	}
}

// TestIntervalCovers draws samples of a known mean and looks how often the
// interval holds it.
func TestIntervalCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	held := 0
	const rounds = 100
	for range rounds {
		var outcomes []Outcome
		for cluster := range 60 {
			right := random.Float64()
			for range 5 { // queries of one picture are alike
				rank := 0
				if random.Float64() < right {
					rank = 1
				}
				outcomes = append(outcomes, Outcome{rank, cluster})
			}
		}
		if _, interval := MeanWithInterval(outcomes, func(o Outcome) float64 { return float64(o.Rank) }); interval[0] <= 0.5 && 0.5 <= interval[1] {
			held++
		}
	}
	if held < 85 || held > 100 {
		t.Errorf("the 95 %% interval held the mean in %d of %d draws", held, rounds)
	}
}
