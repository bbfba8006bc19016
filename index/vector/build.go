package vector

import (
	"math"
	"runtime"
	"slices"
	"sync"

	"mekiki/index/vector/kernels"
	"mekiki/index/vector/quantized"
	"mekiki/index/vector/representatives"
	"mekiki/index/vector/topk"
)

// builder builds the inverted lists of many entries at once.
type builder struct {
	width, stride int
	kernel        kernels.Kernel
	chunks        []*chunk
	removed       func(location) bool
	newReader     func() *reader
	workers       int
	stopped       func() bool // may be nil
}

func (b *builder) isStopped() bool { return b.stopped != nil && b.stopped() }

// build builds a finder.
func (b *builder) build(method Method) finder {
	b.workers = max(1, runtime.GOMAXPROCS(0))
	switch method {
	case IVF:
		return b.buildLists()
	case Coder:
		return b.buildCoder()
	}
	return b.buildGraph()
}

// buildLists divides the representatives of all entries in two, again and again (bisecting
// k-means: Steinbach, Karypis and Kumar, A Comparison of Document Clustering
// Techniques, 2000), and then moves each to the list of its nearest centroid.
func (b *builder) buildLists() *ivf {
	set, groups := b.representatives(representatives.Default, false)
	inserter := newInserter(b.width, b.kernel)
	if b.isStopped() {
		return &ivf{}
	}
	clusters := b.divide(set, builtLength(len(set.scales)))
	var built *ivf
	for round := 0; ; round++ {
		built = &ivf{postings: len(set.scales), groups: groups, inserter: inserter}
		for _, numbers := range clusters {
			built.centroids.add(b.stride, set.centroid(numbers))
		}
		if b.isStopped() {
			return &ivf{}
		}
		if round == buildRounds || len(clusters) == 1 {
			break
		}
		clusters = b.reassign(set, &built.centroids)
	}
	for _, numbers := range clusters {
		built.lists = append(built.lists, set.gather(numbers))
	}
	return built
}

// each calls do for every number below count, in several goroutines; do is given
// the worker's number.
func (b *builder) each(count int, do func(worker, i int)) {
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

// representatives merges the rows of every entry, to so many at most and of length one if
// so wanted, and counts the entries.
func (b *builder) representatives(most int, ofLengthOne bool) (*pointSet, int) {
	const stretch = 64 // chunks
	results, groups := make([]invertedList, (len(b.chunks)+stretch-1)/stretch), make([]int, (len(b.chunks)+stretch-1)/stretch)
	b.each(len(results), func(_, i int) {
		result, merger, code, reader := &results[i], representatives.NewMerger(b.width, most, b.kernel), make([]byte, b.stride), b.newReader()
		for number := i * stretch; number < min((i+1)*stretch, len(b.chunks)); number++ {
			chunk := b.chunks[number]
			reader.fill(chunk, 0, len(chunk.entries))
			for slot := range chunk.entries {
				at := location{uint32(number), uint32(slot)}
				if b.removed(at) {
					continue
				}
				rows, codes, err := reader.entry(chunk, slot)
				if err != nil {
					continue // it is gone since, or neither its codes nor its vectors can be read
				}
				groups[i]++
				merger.Merge(codes, rows, func(mean []float32) {
					if ofLengthOne {
						unit(mean)
					}
					result.scales = append(result.scales, quantized.Values(code[:b.width], mean))
					result.codes = append(result.codes, code...)
					result.postings = append(result.postings, at)
				})
			}
		}
	})
	total, allGroups := 0, 0
	for i := range results {
		total += len(results[i].scales)
		allGroups += groups[i]
	}
	set := &pointSet{b.stride, b.width, invertedList{codeTable{make([]byte, 0, total*b.stride), make([]float32, 0, total)}, make([]location, 0, total), nil}}
	for i := range results {
		set.codes = append(set.codes, results[i].codes...)
		set.scales, set.postings = append(set.scales, results[i].scales...), append(set.postings, results[i].postings...)
		results[i] = invertedList{}
	}
	return set, allGroups
}

// divide divides the set in two, again and again, until clusters have target members at
// most.
func (b *builder) divide(set *pointSet, target int) (clusters [][]int32) {
	all := make([]int32, len(set.scales))
	for i := range all {
		all[i] = int32(i)
	}
	parts, large := [][]int32{all}, max(len(all)/(4*b.workers), target)
	divider := newBisector(b.width, b.kernel)
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
		divider, waiting := newBisector(b.width, b.kernel), [][]int32{parts[i]}
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

// reassign gives each member to the cluster of its nearest centroid. Clusters left
// without members vanish.
func (b *builder) reassign(set *pointSet, centroids *codeTable) (clusters [][]int32) {
	const stretch = 4096
	quantizer, nearest := b.coarseQuantizer(centroids), make([]int32, len(set.scales))
	b.each((len(nearest)+stretch-1)/stretch, func(_, i int) {
		inserter := newInserter(b.width, b.kernel)
		for number := i * stretch; number < min((i+1)*stretch, len(nearest)); number++ {
			nearest[number] = quantizer.nearest(inserter, set.code(int32(number)))
		}
	})
	clusters = make([][]int32, len(centroids.scales))
	for number, centroid := range nearest {
		clusters[centroid] = append(clusters[centroid], int32(number))
	}
	return slices.DeleteFunc(clusters, func(cluster []int32) bool { return len(cluster) == 0 })
}

// coarseQuantizer finds the nearest centroid without comparing all of them: it is an
// inverted file of the centroids. Where it does not find the nearest, which is rare,
// it finds one that is nearly as near.
type coarseQuantizer struct {
	cells   codeTable   // a centroid of each cell's centroids
	members []codeTable // the centroids in each cell
	numbers [][]int32   // theirs among all centroids
}

func (b *builder) coarseQuantizer(centroids *codeTable) *coarseQuantizer {
	set := &pointSet{b.stride, b.width, invertedList{codeTable: *centroids}}
	q := &coarseQuantizer{numbers: b.divide(set, max(32, int(math.Sqrt(float64(len(set.scales))))))}
	for _, numbers := range q.numbers {
		q.cells.add(b.stride, set.centroid(numbers))
		var table codeTable
		for _, number := range numbers {
			table.codes = append(table.codes, set.code(number)...)
			table.scales = append(table.scales, centroids.scales[number])
		}
		q.members = append(q.members, table)
	}
	return q
}

// nearest gives the number of the centroid with the largest dot product with a code,
// of those in the nearest cellProbes cells.
func (q *coarseQuantizer) nearest(n *inserter, code []byte) int32 {
	order := topk.NewOrder(n.score(&q.cells, code))
	best, number := float32(math.Inf(-1)), int32(0)
	for range cellProbes {
		cell, ok := order.Next()
		if !ok {
			break
		}
		for i, score := range n.score(&q.members[cell], code) {
			if score > best {
				best, number = score, q.numbers[cell][i]
			}
		}
	}
	return number
}
