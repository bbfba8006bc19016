package hnsw

import (
	"context"
	"slices"
	"sync"
)

// Query is a vector that a walk looks for: value i is about Scale * Codes[i], and Shift
// is 128 times the sum of the codes.
type Query struct {
	Codes []int8
	Shift int32
	Scale float32
}

// Walk calls next with nodes, those of a large score first: a node's score is its largest
// dot product with any query. It goes on until next says not to, or until all nodes that
// can be reached have been given.
func (v *View) Walk(ctx context.Context, queries []Query, next func(node uint32, score float32) (goOn bool)) error {
	top := v.top()
	if top < 0 {
		return ctx.Err()
	}
	w := v.pool.Get().(*walker)
	defer w.putBack(v.pool)
	w.begin(v.layers[0].count)
	w.entries = w.entries[:0]
	for i := range queries {
		w.entries = append(w.entries, v.descend(w, queries[i:i+1], top, 0))
	}
	w.queries = queries
	w.toVisit(w.entries)
	for steps := 0; ; steps++ {
		for i, score := range w.score(&v.content, &v.layers[0]) {
			w.candidates.push(^newKey(score, w.numbers[i]))
		}
		if steps%stepsPerCheck == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if len(w.candidates) == 0 {
			return nil
		}
		best := ^w.candidates.pop()
		if !next(best.number(), best.score()) {
			return nil
		}
		w.toVisit(v.layers[0].links(best.number()))
	}
}

// top is the highest layer with linked nodes, -1 if there is none.
func (c *content) top() int {
	top := len(c.layers) - 1
	for top >= 0 && c.layers[top].entry == none {
		top--
	}
	return top
}

// Scan calls each with the scores of all nodes, in order, some at a time: scores[i] is of
// node first+i, and overwritten by the next.
func (v *View) Scan(ctx context.Context, queries []Query, dot func(query []int8, rows []byte, out []int32), each func(first uint32, scores []float32)) error {
	products, scores := make([]int32, blockRows), make([]float32, blockRows)
	for number, block := range v.rows.blocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		first := number * blockRows
		facts := v.rows.facts[first:min(first+blockRows, v.Len())]
		for i, query := range queries {
			dot(query.Codes, block[:len(facts)*v.stride], products[:len(facts)])
			for j, fact := range facts {
				score := query.Scale * fact.Scale * float32(products[j]-query.Shift)
				if i == 0 || score > scores[j] {
					scores[j] = score
				}
			}
		}
		each(uint32(first), scores[:len(facts)])
	}
	return nil
}

// ScanSome is Scan of some nodes: scores[i] is of nodes[first+i].
func (v *View) ScanSome(ctx context.Context, queries []Query, nodes []uint32, each func(first int, scores []float32)) error {
	rows, products, scores := make([][]byte, blockRows), make([]int32, blockRows), make([]float32, blockRows)
	for first := 0; first < len(nodes); first += blockRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		some := nodes[first:min(first+blockRows, len(nodes))]
		for i, node := range some {
			rows[i] = v.rows.row(node)
		}
		for i, query := range queries {
			v.kernel(query.Codes, rows[:len(some)], products[:len(some)])
			for j, node := range some {
				score := query.Scale * v.rows.facts[node].Scale * float32(products[j]-query.Shift)
				if i == 0 || score > scores[j] {
					scores[j] = score
				}
			}
		}
		each(first, scores[:len(some)])
	}
	return nil
}

// descend goes from the first node of layer top to the layers below, always to the best
// neighbour, and gives the number in layer end that it begins with there.
func (c *content) descend(w *walker, queries []Query, top, end int) uint32 {
	w.queries = queries
	current := c.layers[top].entry
	for level := top; level > end; level-- {
		l := &c.layers[level]
		best := w.scoreOne(c, l, current)
		for improved := true; improved; {
			improved = false
			w.numbers = w.numbers[:0]
			for _, number := range l.links(current) {
				if number == none {
					break
				}
				w.numbers = append(w.numbers, number)
			}
			for i, score := range w.score(c, l) {
				if score > best {
					best, current, improved = score, w.numbers[i], true
				}
			}
		}
		current = l.below[current]
	}
	return current
}

// nearest leaves the keep best nodes of a layer in w.results, beginning at w.entries.
func (c *content) nearest(w *walker, level, keep int) {
	l := &c.layers[level]
	w.begin(l.count)
	w.toVisit(w.entries)
	w.offer(c, l, keep)
	for len(w.candidates) > 0 {
		next := ^w.candidates.pop()
		if len(w.results) >= keep && next < w.results[0] {
			break
		}
		w.toVisit(l.links(next.number()))
		w.offer(c, l, keep)
	}
}

// walker is the memory of a walk, kept from one to the next.
type walker struct {
	queries    []Query
	entries    []uint32
	visited    []uint64
	numbers    []uint32 // to score, in the layer
	rows       [][]byte
	products   []int32
	scores     []float32
	candidates heap // of the complements of keys: the best on top
	results    heap
	// For building.
	own     Query
	pair    Query
	ranked  []key
	dropped []bool
	chosen  []uint32
}

func newWalker(stride int) *walker {
	return &walker{own: Query{Codes: make([]int8, stride)}, pair: Query{Codes: make([]int8, stride)}}
}

func (w *walker) begin(nodes int) {
	words := nodes/64 + 1
	w.visited = slices.Grow(w.visited[:0], words)[:words]
	clear(w.visited)
	w.candidates, w.results = w.candidates[:0], w.results[:0]
}

// visit says whether a node was not visited before.
func (w *walker) visit(number uint32) bool {
	word, bit := &w.visited[number/64], uint64(1)<<(number%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

// toVisit leaves in w.numbers those numbers that were not visited before.
func (w *walker) toVisit(numbers []uint32) {
	w.numbers = w.numbers[:0]
	for _, number := range numbers {
		if number == none {
			break
		}
		if w.visit(number) {
			w.numbers = append(w.numbers, number)
		}
	}
}

// offer scores w.numbers and keeps those that are among the best.
func (w *walker) offer(c *content, l *layer, keep int) {
	for i, score := range w.score(c, l) {
		k := newKey(score, w.numbers[i])
		if len(w.results) < keep {
			w.results.push(k)
		} else if k > w.results[0] {
			w.results.replace(k)
		} else {
			continue
		}
		w.candidates.push(^k)
	}
}

// putBack gives the walker's memory to the next walk, without what it points to.
func (w *walker) putBack(pool *sync.Pool) {
	w.queries = nil
	clear(w.rows)
	pool.Put(w)
}

// score gives the largest dot product of any query with each of w.numbers. The next call
// overwrites them.
func (w *walker) score(c *content, l *layer) []float32 {
	count := len(w.numbers)
	w.rows = slices.Grow(w.rows[:0], count)[:count]
	w.products = slices.Grow(w.products[:0], count)[:count]
	w.scores = slices.Grow(w.scores[:0], count)[:count]
	for i, number := range w.numbers {
		w.rows[i] = c.rows.row(l.node(number))
	}
	for number := range w.queries {
		query := &w.queries[number]
		c.kernel(query.Codes, w.rows, w.products)
		for i, product := range w.products {
			score := query.Scale * c.rows.facts[l.node(w.numbers[i])].Scale * float32(product-query.Shift)
			if number == 0 || score > w.scores[i] {
				w.scores[i] = score
			}
		}
	}
	return w.scores
}

func (w *walker) scoreOne(c *content, l *layer, number uint32) float32 {
	w.numbers = append(w.numbers[:0], number)
	return w.score(c, l)[0]
}

// sortedResults gives the results, the best first.
func (w *walker) sortedResults() []key {
	slices.Sort(w.results)
	slices.Reverse(w.results)
	return w.results
}
