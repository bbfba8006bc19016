package hnsw

import "math"

// key orders nodes by score, and of equals the smaller number first: the better node has
// the larger key.
type key uint64

func newKey(score float32, number uint32) key {
	ordered := math.Float32bits(score)
	if ordered>>31 == 1 {
		ordered = ^ordered
	} else {
		ordered |= 1 << 31
	}
	return key(ordered)<<32 | key(^number)
}

func (k key) number() uint32 { return ^uint32(k) }

func (k key) score() float32 {
	ordered := uint32(k >> 32)
	if ordered>>31 == 1 {
		return math.Float32frombits(ordered &^ (1 << 31))
	}
	return math.Float32frombits(^ordered)
}

// heap is a binary heap with the smallest key on top.
type heap []key

func (h *heap) push(k key) {
	*h = append(*h, k)
	list := *h
	i := len(list) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if list[parent] <= k {
			break
		}
		list[i] = list[parent]
		i = parent
	}
	list[i] = k
}

// pop takes the smallest key out.
func (h *heap) pop() key {
	list := *h
	top, last := list[0], list[len(list)-1]
	*h = list[:len(list)-1]
	if len(*h) > 0 {
		h.replace(last)
	}
	return top
}

// replace puts a key in place of the smallest.
func (h heap) replace(k key) {
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1] < h[child] {
			child++
		}
		if k <= h[child] {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = k
}
