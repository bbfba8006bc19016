// Package topk keeps the values of the largest scores.
package topk

import (
	"cmp"
	"math"
	"slices"
)

// Scored is a value with its score.
type Scored[T any] struct {
	Score float64
	Value T
}

// List keeps the values with the k largest scores that it was offered, as a binary
// heap with the smallest of them on top. Of equal scores the first offered stays.
type List[T any] struct {
	k    int
	heap []Scored[T]
}

// New gives an empty list of k values at most.
func New[T any](k int) *List[T] { return &List[T]{k: k} }

// Threshold is the score that a value must exceed to be kept: the smallest kept, and
// minus infinity as long as there are fewer than k.
func (t *List[T]) Threshold() float64 {
	if len(t.heap) < t.k {
		return math.Inf(-1)
	}
	return t.heap[0].Score
}

// All gives what is kept, in no order.
func (t *List[T]) All() []Scored[T] { return t.heap }

// Offer keeps a value if its score exceeds the threshold, and says whether it did.
func (t *List[T]) Offer(score float64, value T) bool {
	switch {
	case len(t.heap) < t.k:
		if t.heap = append(t.heap, Scored[T]{score, value}); len(t.heap) == t.k {
			heapify(t.heap)
		}
	case score > t.heap[0].Score:
		t.heap[0] = Scored[T]{score, value}
		siftDown(t.heap, 0)
	default:
		return false
	}
	return true
}

// Sorted gives what is kept, the largest score first and of equals the smaller key. It
// reorders the heap, which is of no use afterwards.
func (t *List[T]) Sorted(key func(T) uint64) []Scored[T] {
	return sorted(t.heap, key)
}

func sorted[T any](of []Scored[T], key func(T) uint64) []Scored[T] {
	slices.SortFunc(of, func(a, b Scored[T]) int {
		if a.Score != b.Score {
			return cmp.Compare(b.Score, a.Score)
		}
		return cmp.Compare(key(a.Value), key(b.Value))
	})
	return of
}

// Order gives numbers by descending score, lazily: most are never asked for.
type Order struct{ heap []Scored[int32] } // of negated scores

// NewOrder gives the order of the scores of the numbers from zero on.
func NewOrder(scores []float32) *Order {
	n := &Order{make([]Scored[int32], len(scores))}
	for i, score := range scores {
		n.heap[i] = Scored[int32]{-float64(score), int32(i)}
	}
	heapify(n.heap)
	return n
}

// Next gives the number with the largest score of those left.
func (n *Order) Next() (number int32, ok bool) {
	if len(n.heap) == 0 {
		return 0, false
	}
	number = n.heap[0].Value
	last := len(n.heap) - 1
	n.heap[0], n.heap = n.heap[last], n.heap[:last]
	siftDown(n.heap, 0)
	return number, true
}

// heapify orders a heap with the smallest score on top.
func heapify[T any](heap []Scored[T]) {
	for i := len(heap)/2 - 1; i >= 0; i-- {
		siftDown(heap, i)
	}
}

// siftDown restores the heap after the score at i grew.
func siftDown[T any](heap []Scored[T], i int) {
	for {
		child := 2*i + 1
		if child+1 < len(heap) && heap[child+1].Score < heap[child].Score {
			child++
		}
		if child >= len(heap) || heap[i].Score <= heap[child].Score {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}
