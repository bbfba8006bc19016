package vector

import (
	"cmp"
	"math"
	"slices"
)

// scored is a value with its score.
type scored[T any] struct {
	score float64
	value T
}

// topK keeps the values with the k largest scores that it was offered, as a binary
// heap with the smallest of them on top. Of equal scores the first offered stays.
type topK[T any] struct {
	k    int
	heap []scored[T]
}

func newTopK[T any](k int) *topK[T] { return &topK[T]{k: k} }

// threshold is the score that a value must exceed to be kept: the smallest kept, and
// minus infinity as long as there are fewer than k.
func (t *topK[T]) threshold() float64 {
	if len(t.heap) < t.k {
		return math.Inf(-1)
	}
	return t.heap[0].score
}

// offer keeps a value if its score exceeds the threshold, and says whether it did.
func (t *topK[T]) offer(score float64, value T) bool {
	switch {
	case len(t.heap) < t.k:
		if t.heap = append(t.heap, scored[T]{score, value}); len(t.heap) == t.k {
			heapify(t.heap)
		}
	case score > t.heap[0].score:
		t.heap[0] = scored[T]{score, value}
		siftDown(t.heap, 0)
	default:
		return false
	}
	return true
}

// sorted gives what is kept, the largest score first and of equals the smaller key. It
// reorders the heap, which is of no use afterwards.
func (t *topK[T]) sorted(key func(T) uint64) []scored[T] {
	slices.SortFunc(t.heap, func(a, b scored[T]) int {
		if a.score != b.score {
			return cmp.Compare(b.score, a.score)
		}
		return cmp.Compare(key(a.value), key(b.value))
	})
	return t.heap
}

// nearestFirst gives numbers by descending score, lazily: most are never asked for.
type nearestFirst struct{ heap []scored[int32] } // of negated scores

func newNearestFirst(scores []float32) *nearestFirst {
	n := &nearestFirst{make([]scored[int32], len(scores))}
	for i, score := range scores {
		n.heap[i] = scored[int32]{-float64(score), int32(i)}
	}
	heapify(n.heap)
	return n
}

// next gives the number with the largest score of those left.
func (n *nearestFirst) next() (number int32, ok bool) {
	if len(n.heap) == 0 {
		return 0, false
	}
	number = n.heap[0].value
	last := len(n.heap) - 1
	n.heap[0], n.heap = n.heap[last], n.heap[:last]
	siftDown(n.heap, 0)
	return number, true
}

// heapify orders a heap with the smallest score on top.
func heapify[T any](heap []scored[T]) {
	for i := len(heap)/2 - 1; i >= 0; i-- {
		siftDown(heap, i)
	}
}

// siftDown restores the heap after the score at i grew.
func siftDown[T any](heap []scored[T], i int) {
	for {
		child := 2*i + 1
		if child+1 < len(heap) && heap[child+1].score < heap[child].score {
			child++
		}
		if child >= len(heap) || heap[i].score <= heap[child].score {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}
