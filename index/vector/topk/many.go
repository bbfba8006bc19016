package topk

import (
	"cmp"
	"math"

	"mekiki/internal/divide"
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
	divide.At(m.kept, m.k-1, func(a, b Scored[T]) int { return cmp.Compare(b.Score, a.Score) })
	m.kept = m.kept[:m.k]
	m.threshold = m.kept[m.k-1].Score
}
