package vector

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// What an approximate search for k groups looks at, at most, and when it stops
// before. TestLarge measures the recall that it gives.
const (
	// scoredLeast and scoredEach say how many groups are scored by all their
	// vectors' codes: so many, and so many for each of the k.
	scoredLeast, scoredEach = 512, 48
	// scoredPatience is after how many in a row that are not among the best k the
	// others are left.
	scoredPatience = 400
	// seenLeast, seenEach and seenPart say how many representatives are looked at
	// before: so many, so many for each of the k, and this part of all.
	seenLeast, seenEach, seenPart = 80_000, 2000, 0.01
	// seenPatience is which part of that is looked at in vain, before the rest is
	// left: without one that is among the best leadLeast + leadEach * k.
	seenPatience        = 0.2
	leadLeast, leadEach = 20, 2
)

// approximating is an approximate search under way.
type approximating struct {
	view    *View
	allow   func(group uint64) bool
	queries []queryCode // of the queries, or fewer that stand for them
	pick    picking
	lead    *largest // of the scores
	leading int      // representatives looked at when the lead changed last

	products []int32
	scores   []float32
	seen     int // representatives looked at
	asked    int
	allowed  int
}

// approximate finds k groups by the cells: those whose representatives are nearest
// to the queries, in the cells nearest to them, are scored by all their codes, and
// of those the ones that may be among the k best exactly.
func (v *View) approximate(ctx context.Context, queries []float32, k int, allow func(group uint64) bool) ([]Neighbour, error) {
	scored := int(float64(scoredLeast+scoredEach*k) * v.effort)
	a := &approximating{
		view: v, allow: allow, queries: v.represent(queries),
		pick: newPicking(max(k, scored*v.content.entries/v.Len())), lead: newLargest(leadLeast + leadEach*k),
	}
	if err := a.lookAround(ctx, (seenLeast+float64(seenEach*k)+seenPart*float64(v.cells.count))*v.effort); err != nil {
		return nil, err
	}
	s := v.searching(queries, k)
	patience := int(scoredPatience * max(1, v.effort))
	met := make([]uint64, v.content.entries/64+1)
	for i, place := range a.pick.places() {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		chunk := v.content.chunk(place.chunk)
		number := chunk.first + int(place.slot)
		if met[number>>6]>>(number&63)&1 == 1 {
			continue // by a better representative
		}
		met[number>>6] |= 1 << (number & 63)
		if !v.content.dead.has(number) {
			if patience--; s.proposeLikely(chunk, int(place.slot)) {
				patience = int(scoredPatience * max(1, v.effort))
			}
		}
		if patience == 0 {
			break
		}
	}
	found, err := s.rescore(ctx, queries, k)
	if err == nil && len(found) < k { // too many were removed or not allowed
		return v.SearchExact(ctx, queries, k, allow)
	}
	return found, err
}

// lookAround looks at cells, the nearest first, until a number of representatives
// were seen, or so many in vain that more would be too.
func (a *approximating) lookAround(ctx context.Context, budget float64) error {
	for order := a.order(); !order.empty(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		a.look(a.view.cells.list[order.pop()])
		share := a.share()
		if float64(a.seen)*share >= budget || float64(a.seen-a.leading)*share >= seenPatience*budget {
			break
		}
	}
	return nil
}

// proposeLikely looks at an entry like propose, but with limits that are very likely
// instead of certain, so that few have to be scored exactly. It says whether it may be among the nearest.
func (s *searching) proposeLikely(c *chunk, slot int) bool {
	first, end, stride := c.entries[slot].row, c.endRow(slot), s.view.stride
	s.products = slices.Grow(s.products[:0], end-first)[:end-first]
	lower, upper := math.Inf(-1), math.Inf(-1)
	for number := range s.queries {
		query := &s.queries[number]
		s.view.kernel.dot(query.codes, c.codes[first*stride:end*stride], s.products)
		best, row := math.Inf(-1), 0
		for i := range s.products {
			if middle := float64(c.rows[first+i].scale) * float64(s.products[i]-query.shift); middle > best {
				best, row = middle, i
			}
		}
		from, to := query.likely(c.rows[first+row], s.products[row])
		lower, upper = max(lower, from), max(upper, to)
	}
	if upper < s.kth.least() {
		return false
	}
	s.proposals = append(s.proposals, proposal{c, slot, upper})
	s.kth.offer(lower)
	return true
}

// represent codes the queries; of many, the representatives.
func (v *View) represent(queries []float32) (coded []queryCode) {
	if len(queries) <= mostRepresentatives*v.width {
		for query := range slices.Chunk(queries, v.width) {
			coded = append(coded, newQueryCode(query, v.stride))
		}
		return coded
	}
	codes := make([]byte, len(queries)/v.width*v.stride)
	rows := make([]rowCode, len(queries)/v.width)
	for i := range rows {
		rows[i] = newRowCode(codes[i*v.stride:], queries[i*v.width:(i+1)*v.width])
	}
	newMerging(v.width, v.kernel).merge(codes, rows, func(mean []float32) {
		coded = append(coded, newQueryCode(mean, v.stride))
	})
	return coded
}

// share is about the share of groups that the filter lets through, of those it was
// asked about so far.
func (a *approximating) share() float64 {
	if a.allow == nil {
		return 1
	}
	return float64(a.allowed+1) / float64(a.asked+1)
}

// dots computes the largest dot product of each row with any query.
func (a *approximating) dots(rows *codeTable) []float32 {
	count := len(rows.scales)
	a.products = slices.Grow(a.products[:0], count)[:count]
	a.scores = slices.Grow(a.scores[:0], count)[:count]
	for number := range a.queries {
		query := &a.queries[number]
		a.view.kernel.dot(query.codes, rows.codes, a.products)
		factor := float32(query.scale)
		for i, product := range a.products {
			score := factor * rows.scales[i] * float32(product-query.shift)
			if number == 0 || score > a.scores[i] {
				a.scores[i] = score
			}
		}
	}
	return a.scores
}

// order gives the cells, the one with the nearest centre first.
func (a *approximating) order() *cellOrder {
	return newCellOrder(a.dots(&a.view.cells.centres))
}

// look scores a cell's members. Without a filter, removed entries are left out
// later: asking about each would take longer than scoring them.
func (a *approximating) look(c *cell) {
	a.seen += len(c.places)
	for i, score := range a.dots(&c.codeTable) {
		if score < a.pick.least {
			continue
		}
		if a.allow != nil && !a.asks(c.places[i]) {
			continue
		}
		a.pick.offer(picked{score, c.places[i]})
		if float64(score) > a.lead.least() {
			a.lead.offer(float64(score))
			a.leading = a.seen
		}
	}
}

// asks says whether an entry may be found.
func (a *approximating) asks(at place) bool {
	entry, number := a.view.content.at(at)
	if a.view.content.dead.has(number) {
		return false
	}
	a.asked++
	if a.allow(entry.group) {
		a.allowed++
		return true
	}
	return false
}

// picked is a representative that scored.
type picked struct {
	score float32
	place place
}

// picking keeps the best representatives, at most so many in the end.
type picking struct {
	limit int
	list  []picked
	least float32 // those dropped scored no better
}

func newPicking(limit int) picking {
	return picking{limit: limit, list: make([]picked, 0, 3*limit), least: float32(math.Inf(-1))}
}

func (p *picking) offer(one picked) {
	if p.list = append(p.list, one); len(p.list) == cap(p.list) {
		p.drop()
	}
}

// drop keeps the best.
func (p *picking) drop() {
	if len(p.list) > p.limit {
		bestFirst(p.list, p.limit)
		p.list = p.list[:p.limit]
		p.least = slices.MinFunc(p.list, func(x, y picked) int { return cmp.Compare(x.score, y.score) }).score
	}
}

// places gives the places of the best, best first; one with several
// representatives may come several times.
func (p *picking) places() []place {
	p.drop()
	slices.SortFunc(p.list, func(x, y picked) int {
		switch {
		case x.score > y.score:
			return -1
		case x.score < y.score:
			return 1
		}
		return cmp.Compare(x.place.number(), y.place.number())
	})
	places := make([]place, len(p.list))
	for i, one := range p.list {
		places[i] = one.place
	}
	return places
}

func (p place) number() uint64 { return uint64(p.chunk)<<32 | uint64(p.slot) }

// bestFirst reorders a list so that its count best come first, in any order
// (Hoare's selection).
func bestFirst(list []picked, count int) {
	for low, high := 0, len(list)-1; low < high; {
		pivot := list[(low+high)/2].score
		i, j := low, high
		for i <= j {
			for list[i].score > pivot {
				i++
			}
			for list[j].score < pivot {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case count-1 <= j:
			high = j
		case count-1 >= i:
			low = i
		default:
			return
		}
	}
}

// cellOrder is a heap of cells with the best on top.
type cellOrder struct{ heap []scoredCell }

type scoredCell struct {
	score  float32
	number int32
}

func newCellOrder(scores []float32) *cellOrder {
	o := &cellOrder{make([]scoredCell, len(scores))}
	for i, score := range scores {
		o.heap[i] = scoredCell{score, int32(i)}
	}
	for i := len(o.heap)/2 - 1; i >= 0; i-- {
		o.sink(i)
	}
	return o
}

func (o *cellOrder) empty() bool { return len(o.heap) == 0 }

func (o *cellOrder) pop() int32 {
	top, last := o.heap[0].number, len(o.heap)-1
	o.heap[0] = o.heap[last]
	o.heap = o.heap[:last]
	o.sink(0)
	return top
}

func (o *cellOrder) sink(i int) {
	for {
		child := 2*i + 1
		if child+1 < len(o.heap) && o.heap[child+1].score > o.heap[child].score {
			child++
		}
		if child >= len(o.heap) || o.heap[i].score >= o.heap[child].score {
			return
		}
		o.heap[i], o.heap[child] = o.heap[child], o.heap[i]
		i = child
	}
}
