package bytepair

import "math/bits"

// symbol is a part of a word. Of a part that was merged into the one before it,
// id is -1.
type symbol struct{ id, previous, next int32 }

// candidate is a merge that may be done: of the symbol at a place with the next.
type candidate struct{ rank, at, whole int32 }

// word is a word while it is merged.
type word struct {
	symbols []symbol
	heap    []candidate
}

func (w *word) reset() { w.symbols, w.heap = w.symbols[:0], w.heap[:0] }

// add puts a symbol at the end.
func (w *word) add(id int32) {
	at := int32(len(w.symbols))
	if at > 0 {
		w.symbols[at-1].next = at
	}
	w.symbols = append(w.symbols, symbol{id: id, previous: at - 1, next: -1})
}

// join merges the symbol at a place with the next into one.
func (w *word) join(at, whole int32) {
	left := &w.symbols[at]
	right := &w.symbols[left.next]
	left.id, left.next, right.id = whole, right.next, -1
	if left.next >= 0 {
		w.symbols[left.next].previous = at
	}
}

// mergeShort looks through all pairs at every step.
func (w *word) mergeShort(merges *table) {
	for len(w.symbols) > 1 {
		best := candidate{at: -1}
		for at := int32(0); ; {
			next := w.symbols[at].next
			if next < 0 {
				break
			}
			rank, whole, ok := merges.get(pair(w.symbols[at].id, w.symbols[next].id))
			if ok && (best.at < 0 || rank < best.rank) {
				best = candidate{rank, at, whole}
			}
			at = next
		}
		if best.at < 0 {
			return
		}
		w.join(best.at, best.whole)
	}
}

// mergeLong keeps the merges that may be done in a heap.
func (w *word) mergeLong(merges *table) {
	for at := range len(w.symbols) - 1 {
		w.consider(merges, int32(at))
	}
	for len(w.heap) > 0 {
		top := w.pop()
		left := w.symbols[top.at]
		if left.id < 0 || left.next < 0 {
			continue
		}
		_, whole, ok := merges.get(pair(left.id, w.symbols[left.next].id))
		if !ok || whole != top.whole {
			continue // a neighbour changed since
		}
		w.join(top.at, whole)
		if previous := w.symbols[top.at].previous; previous >= 0 {
			w.consider(merges, previous)
		}
		w.consider(merges, top.at)
	}
}

// consider puts the merge of the symbol at a place with the next on the heap, if
// there is one.
func (w *word) consider(merges *table, at int32) {
	next := w.symbols[at].next
	if next < 0 {
		return
	}
	if rank, whole, ok := merges.get(pair(w.symbols[at].id, w.symbols[next].id)); ok {
		w.push(candidate{rank, at, whole})
	}
}

func (c candidate) before(other candidate) bool {
	return c.rank < other.rank || c.rank == other.rank && c.at < other.at
}

func (w *word) push(c candidate) {
	w.heap = append(w.heap, c)
	at := len(w.heap) - 1
	for at > 0 {
		parent := (at - 1) / 2
		if !c.before(w.heap[parent]) {
			break
		}
		w.heap[at] = w.heap[parent]
		at = parent
	}
	w.heap[at] = c
}

func (w *word) pop() candidate {
	top := w.heap[0]
	last := w.heap[len(w.heap)-1]
	w.heap = w.heap[:len(w.heap)-1]
	at := 0
	for {
		child := 2*at + 1
		if child >= len(w.heap) {
			break
		}
		if child+1 < len(w.heap) && w.heap[child+1].before(w.heap[child]) {
			child++
		}
		if !w.heap[child].before(last) {
			break
		}
		w.heap[at] = w.heap[child]
		at = child
	}
	if len(w.heap) > 0 {
		w.heap[at] = last
	}
	return top
}

// pair is the key of two neighbours.
func pair(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// table has the merges by pair, in open addressing, at most half full. A key of
// empty marks a free slot: no pair is it, since ids are not negative.
type table struct {
	slots []slot
	shift int
}

type slot struct {
	key         uint64
	rank, whole int32
}

const empty = ^uint64(0)

func newTable(size int) table {
	power := max(bits.Len(uint(2*size)), 4)
	t := table{slots: make([]slot, 1<<power), shift: 64 - power}
	for i := range t.slots {
		t.slots[i].key = empty
	}
	return t
}

func (t *table) start(key uint64) int { return int(key * 0x9E3779B97F4A7C15 >> t.shift) }

// set adds a pair or, where it is there, overwrites what it becomes.
func (t *table) set(key uint64, rank, whole int32) {
	at := t.start(key)
	for t.slots[at].key != empty && t.slots[at].key != key {
		at = (at + 1) & (len(t.slots) - 1)
	}
	t.slots[at] = slot{key, rank, whole}
}

func (t *table) get(key uint64) (rank, whole int32, ok bool) {
	at := t.start(key)
	for {
		switch s := &t.slots[at]; s.key {
		case key:
			return s.rank, s.whole, true
		case empty:
			return 0, 0, false
		}
		at = (at + 1) & (len(t.slots) - 1)
	}
}
