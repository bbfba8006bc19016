package vector

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

// building makes cells of many entries at once.
type building struct {
	width, stride int
	kernel        kernel
	chunks        []*chunk
	dead          func(place) bool
	workers       int
	stopped       func() bool // may be nil
}

func (b *building) isStopped() bool { return b.stopped != nil && b.stopped() }

// buildRefinements is how often all members move to the nearest centre, and the
// centres then to the middle of their members.
const buildRefinements = 1

// build divides the representatives of all entries in two, again and again, and
// then lets each move to the centre that is nearest.
func (b *building) build() cells {
	b.workers = max(1, runtime.GOMAXPROCS(0))
	set, groups := b.representatives()
	if b.isStopped() {
		return cells{}
	}
	lists := b.divide(set, max(cellTarget, len(set.scales)/mostCells))
	var c cells
	for round := 0; ; round++ {
		c = cells{count: len(set.scales), groups: groups}
		for _, numbers := range lists {
			c.centres.add(b.stride, set.centre(numbers))
		}
		if b.isStopped() {
			return cells{}
		}
		if round == buildRefinements || len(lists) == 1 {
			break
		}
		lists = b.reassign(set, &c.centres)
	}
	for _, numbers := range lists {
		c.list = append(c.list, set.take(numbers))
	}
	return c
}

// each calls do for every number below count, in several goroutines; do is given
// the worker's number.
func (b *building) each(count int, do func(worker, i int)) {
	var workers sync.WaitGroup
	for worker := range b.workers {
		workers.Go(func() {
			for i := worker; i < count && !b.isStopped(); i += b.workers {
				do(worker, i)
			}
		})
	}
	workers.Wait()
}

// representatives merges the rows of every entry.
func (b *building) representatives() (*pointSet, int) {
	const stretch = 64 // chunks
	results, groups := make([]cell, (len(b.chunks)+stretch-1)/stretch), make([]int, (len(b.chunks)+stretch-1)/stretch)
	b.each(len(results), func(_, i int) {
		result, merging, code := &results[i], newMerging(b.width, b.kernel), make([]byte, b.stride)
		for number := i * stretch; number < min((i+1)*stretch, len(b.chunks)); number++ {
			chunk := b.chunks[number]
			for slot := range chunk.entries {
				at := place{uint32(number), uint32(slot)}
				if b.dead(at) {
					continue
				}
				groups[i]++
				from, to := chunk.entries[slot].row, chunk.endRow(slot)
				merging.merge(chunk.codes[from*b.stride:to*b.stride], chunk.rows[from:to], func(mean []float32) {
					result.scales = append(result.scales, quantize(code[:b.width], mean))
					result.codes = append(result.codes, code...)
					result.places = append(result.places, at)
				})
			}
		}
	})
	total, allGroups := 0, 0
	for i := range results {
		total += len(results[i].scales)
		allGroups += groups[i]
	}
	set := &pointSet{b.stride, b.width, cell{codeTable{make([]byte, 0, total*b.stride), make([]float32, 0, total)}, make([]place, 0, total)}}
	for i := range results {
		set.codes = append(set.codes, results[i].codes...)
		set.scales, set.places = append(set.scales, results[i].scales...), append(set.places, results[i].places...)
		results[i] = cell{}
	}
	return set, allGroups
}

// divide divides the set until parts have target members at most.
func (b *building) divide(set *pointSet, target int) (lists [][]int32) {
	all := make([]int32, len(set.scales))
	for i := range all {
		all[i] = int32(i)
	}
	parts, large := [][]int32{all}, max(len(all)/(4*b.workers), target)
	divider := newBisecting(b.width, b.kernel)
	for { // until there are enough parts for every worker
		largest := 0
		for i := range parts {
			if len(parts[i]) > len(parts[largest]) {
				largest = i
			}
		}
		if len(parts[largest]) <= large {
			break
		}
		one, two := divider.bisect(set, parts[largest])
		parts[largest] = one
		parts = append(parts, two)
	}
	results := make([][][]int32, len(parts))
	b.each(len(parts), func(_, i int) {
		divider, waiting := newBisecting(b.width, b.kernel), [][]int32{parts[i]}
		for len(waiting) > 0 {
			last := waiting[len(waiting)-1]
			waiting = waiting[:len(waiting)-1]
			if len(last) <= target || b.isStopped() {
				results[i] = append(results[i], last)
				continue
			}
			one, two := divider.bisect(set, last)
			waiting = append(waiting, one, two)
		}
	})
	return slices.Concat(results...)
}

// reassign gives each member to the nearest centre; centres left alone vanish.
func (b *building) reassign(set *pointSet, centres *codeTable) (lists [][]int32) {
	const stretch = 4096
	regions, numbers := b.regions(centres), make([]int32, len(set.scales))
	b.each((len(numbers)+stretch-1)/stretch, func(_, i int) {
		linking := newLinking(b.width, b.kernel)
		for number := i * stretch; number < min((i+1)*stretch, len(numbers)); number++ {
			numbers[number] = int32(regions.nearest(linking, set.code(int32(number))))
		}
	})
	lists = make([][]int32, len(centres.scales))
	for number, centre := range numbers {
		lists[centre] = append(lists[centre], int32(number))
	}
	return slices.DeleteFunc(lists, func(list []int32) bool { return len(list) == 0 })
}

// regions are centres by where they lie, so that the nearest is found by looking at
// some only: nearly always, and otherwise one that is nearly as near.
type regions struct {
	centres codeTable // of the regions
	members []codeTable
	numbers [][]int32 // of the members among all centres
}

// regionsLooked is how many regions are looked into.
const regionsLooked = 12

func (b *building) regions(centres *codeTable) *regions {
	set := &pointSet{b.stride, b.width, cell{codeTable: *centres}}
	r := &regions{numbers: b.divide(set, max(32, int(math.Sqrt(float64(len(set.scales))))))}
	for _, numbers := range r.numbers {
		r.centres.add(b.stride, set.centre(numbers))
		var table codeTable
		for _, number := range numbers {
			table.codes = append(table.codes, set.code(number)...)
			table.scales = append(table.scales, centres.scales[number])
		}
		r.members = append(r.members, table)
	}
	return r
}

// nearest gives the number of the centre with the largest dot product with a code.
func (r *regions) nearest(l *linking, code []byte) int32 {
	order := newCellOrder(l.scores(&r.centres, code))
	best, number := float32(math.Inf(-1)), int32(0)
	for looked := 0; looked < regionsLooked && !order.empty(); looked++ {
		region := order.pop()
		for i, score := range l.scores(&r.members[region], code) {
			if score > best {
				best, number = score, r.numbers[region][i]
			}
		}
	}
	return number
}
