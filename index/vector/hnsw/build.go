package hnsw

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// Link links the rows that were appended since, in several goroutines. It ends early when
// stopped, which may be nil, reports true, and says whether it came to the end; Link then
// goes on from there.
func (g *Graph) Link(workers int, stopped func() bool) bool {
	if len(g.pending) > 0 {
		g.unshare()
		// Rows that are next to each other are often near each other, and the nodes of
		// a batch do not see each other.
		source := rand.New(rand.NewPCG(uint64(g.Len()), uint64(len(g.pending))))
		source.Shuffle(len(g.pending), func(i, j int) { g.pending[i], g.pending[j] = g.pending[j], g.pending[i] })
	}
	for len(g.pending) > 0 {
		if stopped != nil && stopped() {
			return false
		}
		linked := g.Len() - len(g.pending)
		size := min(max(linked/batchShare, 1), batchMost, len(g.pending))
		g.linkBatch(g.pending[:size], max(1, workers))
		g.pending = g.pending[size:]
	}
	return true
}

// edge is a link from one node of a layer to another, ordered by the node that it is at.
type edge uint64

func newEdge(at, to uint32) edge { return edge(at)<<32 | edge(to) }

// linkBatch links nodes.
func (g *Graph) linkBatch(nodes []uint32, workers int) {
	for _, node := range nodes {
		for level := range levelOf(node) + 1 {
			l := &g.layers[level]
			l.own(l.number(node))
		}
	}
	back := make([][][]edge, workers) // of each worker, by layer
	g.each(workers, len(nodes), func(worker int, w *walker, i int) {
		if back[worker] == nil {
			back[worker] = make([][]edge, len(g.layers))
		}
		g.linkNode(w, nodes[i], back[worker])
	})
	for level := range g.layers {
		var edges []edge
		for _, of := range back {
			if of != nil {
				edges = append(edges, of[level]...)
			}
		}
		g.linkBack(level, edges, workers)
	}
	for _, node := range nodes {
		for level := range levelOf(node) + 1 {
			if l := &g.layers[level]; l.entry == none {
				l.entry = l.number(node)
			}
		}
	}
}

// each calls do for every number below count, in several goroutines, each with a walker
// of its own.
func (g *Graph) each(workers, count int, do func(worker int, w *walker, i int)) {
	workers = min(workers, (count+3)/4)
	if workers <= 1 {
		w := g.pool.Get().(*walker)
		defer w.putBack(g.pool)
		for i := range count {
			do(0, w, i)
		}
		return
	}
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			w := g.pool.Get().(*walker)
			defer w.putBack(g.pool)
			for i := worker; i < count; i += workers {
				do(worker, w, i)
			}
		})
	}
	group.Wait()
}

// linkNode links a node to the neighbours that it chooses in each of its layers, and adds
// the links back to be made.
func (g *Graph) linkNode(w *walker, node uint32, back [][]edge) {
	top := g.top()
	if top < 0 {
		return
	}
	g.rowQuery(&w.own, node)
	queries := []Query{w.own}
	level := min(levelOf(node), top)
	w.entries = append(w.entries[:0], g.descend(w, queries, top, level))
	for ; level >= 0; level-- {
		l := &g.layers[level]
		w.queries = queries
		g.nearest(w, level, construction)
		w.ranked = append(w.ranked[:0], w.sortedResults()...)
		own := l.number(node)
		chosen := g.choose(w, l, chosenLinks)
		copy(l.links(own), chosen)
		for _, to := range chosen {
			back[level] = append(back[level], newEdge(to, own))
		}
		if level > 0 {
			w.entries = w.entries[:0]
			for _, k := range w.ranked[:min(len(w.ranked), 4)] {
				w.entries = append(w.entries, l.below[k.number()])
			}
		}
	}
}

// rowQuery makes a query of a node's row.
func (c *content) rowQuery(q *Query, node uint32) {
	for i, code := range c.rows.row(node) {
		q.Codes[i] = int8(code ^ 0x80)
	}
	facts := c.rows.facts[node]
	q.Scale, q.Shift = facts.Scale, 128*facts.Sum
}

// choose selects up to most of the nodes in w.ranked, which are ordered by their score:
// the best, and of the others each that is nearer to the node they are ranked for than to
// any of those selected before (algorithm 4 of the paper).
func (c *content) choose(w *walker, l *layer, most int) []uint32 {
	count := len(w.ranked)
	w.chosen = w.chosen[:0]
	w.dropped = slices.Grow(w.dropped[:0], count)[:count]
	clear(w.dropped)
	for i, k := range w.ranked {
		if w.dropped[i] {
			continue
		}
		if w.chosen = append(w.chosen, k.number()); len(w.chosen) == most {
			break
		}
		c.drop(w, l, i)
	}
	return w.chosen
}

// drop drops what is ranked after another and nearer to that than to the node that they
// are ranked for.
func (c *content) drop(w *walker, l *layer, chosen int) {
	c.rowQuery(&w.pair, l.node(w.ranked[chosen].number()))
	w.numbers = w.numbers[:0]
	for i := chosen + 1; i < len(w.ranked); i++ {
		if !w.dropped[i] {
			w.numbers = append(w.numbers, w.ranked[i].number())
		}
	}
	w.queries = []Query{w.pair}
	scores, next := w.score(c, l), 0
	for i := chosen + 1; i < len(w.ranked); i++ {
		if !w.dropped[i] {
			w.dropped[i] = scores[next] > w.ranked[i].score()
			next++
		}
	}
}

// linkBack adds links to nodes that others have chosen. A node that would have too many
// chooses among them anew.
func (g *Graph) linkBack(level int, edges []edge, workers int) {
	if len(edges) == 0 {
		return
	}
	l := &g.layers[level]
	slices.Sort(edges)
	var starts []int
	for i, e := range edges {
		if i == 0 || edges[i-1]>>32 != e>>32 {
			starts = append(starts, i)
			l.own(uint32(e >> 32))
		}
	}
	starts = append(starts, len(edges))
	g.each(workers, len(starts)-1, func(_ int, w *walker, i int) {
		g.addLinks(w, l, edges[starts[i]:starts[i+1]])
	})
}

// addLinks adds links to one node.
func (g *Graph) addLinks(w *walker, l *layer, edges []edge) {
	at := uint32(edges[0] >> 32)
	links := l.links(at)
	count := slices.Index(links, none)
	if count < 0 {
		count = maxLinks
	}
	if count+len(edges) <= maxLinks {
		for i, e := range edges {
			links[count+i] = uint32(e)
		}
		return
	}
	w.numbers = append(w.numbers[:0], links[:count]...)
	for _, e := range edges {
		w.numbers = append(w.numbers, uint32(e))
	}
	g.rowQuery(&w.own, l.node(at))
	w.queries = []Query{w.own}
	w.ranked = w.ranked[:0]
	for i, score := range w.score(&g.content, l) {
		w.ranked = append(w.ranked, newKey(score, w.numbers[i]))
	}
	slices.Sort(w.ranked)
	slices.Reverse(w.ranked)
	chosen := g.choose(w, l, maxLinks)
	for i := range links {
		links[i] = none
		if i < len(chosen) {
			links[i] = chosen[i]
		}
	}
}
