package topk

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// Many keeps the values with the k largest scores, as [List] does, where k is in the thousands: it lets them gather up to twice as
// many, and then finds the k among them, which takes a fraction of what a heap of that size takes. Which of equal scores stays, the
// last of all, is always the same, but not said.
type Many[T any] struct {
	k         int
	kept      []Scored[T]
	threshold float64
}

// NewMany gives an empty list of k values at most, at least one.
func NewMany[T any](k int) *Many[T] { return &Many[T]{k: k, threshold: math.Inf(-1)} }

// Threshold is a score that a value must exceed to be kept; minus infinity as long as there are few.
func (m *Many[T]) Threshold() float64 { return m.threshold }

// Offer keeps a value if its score exceeds the threshold.
func (m *Many[T]) Offer(score float64, value T) {
	if score <= m.threshold {
		return
	}
	if m.kept = append(m.kept, Scored[T]{score, value}); len(m.kept) == 2*m.k {
		m.cut()
	}
}

// Sorted gives what is kept, the largest score first and of equals the smaller key.
func (m *Many[T]) Sorted(key func(T) uint64) []Scored[T] {
	m.cut()
	return sorted(m.kept, key)
}

// cut lets go of all but the k largest.
func (m *Many[T]) cut() {
	if len(m.kept) <= m.k {
		return
	}
	selectLargest(m.kept, m.k)
	m.kept = m.kept[:m.k]
	for i := range m.kept {
		if i == 0 || m.kept[i].Score < m.threshold {
			m.threshold = m.kept[i].Score
		}
	}
}

// selectLargest puts the k largest first, in no order: it divides what holds the place of the k-th again and again (Hoare, Algorithm
// 65: Find, 1961), or sorts where that takes long.
func selectLargest[T any](of []Scored[T], k int) {
	for rounds := 2 * bits.Len(uint(len(of))); len(of) > 1; rounds-- {
		if rounds == 0 {
			slices.SortFunc(of, func(a, b Scored[T]) int { return cmp.Compare(b.Score, a.Score) })
			return
		}
		pivot := middle(of[0].Score, of[len(of)/2].Score, of[len(of)-1].Score)
		left, right := 0, len(of)-1
		for left <= right {
			for of[left].Score > pivot {
				left++
			}
			for of[right].Score < pivot {
				right--
			}
			if left <= right {
				of[left], of[right] = of[right], of[left]
				left, right = left+1, right-1
			}
		}
		switch {
		case k <= right:
			of = of[:right+1]
		case k >= left:
			of, k = of[left:], k-left
		default:
			return
		}
	}
}

// middle gives the second largest of three.
func middle(a, b, c float64) float64 { return max(min(a, b), min(max(a, b), c)) }
