package statistics

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Recall is how often the right answer is among the first.
type Recall struct {
	// R1, R5 and R10 are percentages of queries with a right answer among the
	// first 1, 5 and 10.
	R1  float64 `json:"r1"`
	R5  float64 `json:"r5"`
	R10 float64 `json:"r10"`
	// MRR is the mean of 1/rank, 0 to 1.
	MRR float64 `json:"mrr"`
	// Queries is how many were asked.
	Queries int `json:"queries"`
	// R1Interval, R5Interval and R10Interval are 95 % confidence intervals by
	// bootstrap over pictures, in percent.
	R1Interval  [2]float64 `json:"r1_interval"`
	R5Interval  [2]float64 `json:"r5_interval"`
	R10Interval [2]float64 `json:"r10_interval"`
}

// Outcome is the place of the right answer of one query, from 1; 0 when it was
// not found. Queries of one cluster belong to one picture and are not
// independent.
type Outcome struct {
	Rank    int
	Cluster int
}

// RecallOf summarises outcomes.
func RecallOf(outcomes []Outcome) Recall {
	recall := Recall{Queries: len(outcomes)}
	if len(outcomes) == 0 {
		return recall
	}
	within := func(k int) func(Outcome) float64 {
		return func(o Outcome) float64 {
			if o.Rank >= 1 && o.Rank <= k {
				return 100
			}
			return 0
		}
	}
	recall.R1, recall.R1Interval = MeanWithInterval(outcomes, within(1))
	recall.R5, recall.R5Interval = MeanWithInterval(outcomes, within(5))
	recall.R10, recall.R10Interval = MeanWithInterval(outcomes, within(10))
	for _, o := range outcomes {
		if o.Rank > 0 {
			recall.MRR += 1 / float64(o.Rank) / float64(len(outcomes))
		}
	}
	recall.MRR = RoundTo(recall.MRR, 4)
	return recall
}

// MeanWithInterval gives the mean of a value and its 95 % interval by the
// Percentile bootstrap over clusters. The seed is fixed: the same outcomes give
// the same interval.
func MeanWithInterval(outcomes []Outcome, value func(Outcome) float64) (mean float64, interval [2]float64) {
	type sum struct{ total, count float64 }
	places := map[int]int{}
	var clusters []sum
	for _, o := range outcomes {
		place, known := places[o.Cluster]
		if !known {
			place = len(clusters)
			places[o.Cluster] = place
			clusters = append(clusters, sum{})
		}
		clusters[place].total += value(o)
		clusters[place].count++
		mean += value(o) / float64(len(outcomes))
	}
	random := rand.New(rand.NewPCG(1, 2))
	means := make([]float64, bootstrapRounds)
	for round := range means {
		var drawn sum
		for range clusters {
			cluster := clusters[random.IntN(len(clusters))]
			drawn.total += cluster.total
			drawn.count += cluster.count
		}
		means[round] = drawn.total / drawn.count
	}
	slices.Sort(means)
	return RoundTo(mean, 2), [2]float64{RoundTo(Percentile(means, 0.025), 2), RoundTo(Percentile(means, 0.975), 2)}
}

// Percentile gives a quantile of sorted values, 0 to 1.
func Percentile(sorted []float64, quantile float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	place := quantile * float64(len(sorted)-1)
	low := int(place)
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	share := place - float64(low)
	return sorted[low]*(1-share) + sorted[low+1]*share
}

// RoundTo rounds to so many decimal places.
func RoundTo(value float64, digits int) float64 {
	scale := math.Pow(10, float64(digits))
	return math.Round(value*scale) / scale
}
