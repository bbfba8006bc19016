package vector

import (
	"context"
	"math"
	"runtime"

	"mekiki/index/vector/hnsw"
	"mekiki/index/vector/kernels"
	"mekiki/index/vector/quantized"
	"mekiki/index/vector/representatives"
	"mekiki/index/vector/topk"
	"mekiki/internal/bitset"
)

// graph finds entries by a graph of their representatives.
type graph struct {
	width   int
	nodes   *hnsw.Graph
	entries []location // of each node; nowhere if its group is gone since it was saved
	groups  []uint64   // of each node
	merger  *representatives.Merger
	code    []byte
	workers int
}

func newGraph(width int, k kernels.Kernel) *graph {
	return &graph{
		width: width, nodes: hnsw.New(quantized.Stride(width), k.Gather),
		merger: representatives.NewMerger(width, graphRepresentatives, k), code: make([]byte, quantized.Stride(width)), workers: runtime.GOMAXPROCS(0),
	}
}

// buildGraph builds the graph of all entries.
func (b *builder) buildGraph() *graph {
	set, _ := b.representatives(graphRepresentatives, true)
	g := newGraph(b.width, b.kernel)
	// Nodes near each other get near numbers: a walk then touches fewer pages of memory.
	for _, cluster := range b.divide(set, graphCluster) {
		for _, i := range cluster {
			at := set.postings[i]
			g.append(set.code(i), set.scales[i], at, b.chunks[at.chunk].entries[at.slot].group)
		}
	}
	g.nodes.Link(b.workers, b.stopped)
	return g
}

// append appends a representative's node, which is linked later.
func (g *graph) append(codes []byte, scale float32, at location, group uint64) {
	sum := int32(0)
	for _, code := range codes[:g.width] {
		sum += int32(code) - quantized.Bias
	}
	g.nodes.Append(codes, hnsw.Row{Scale: scale, Sum: sum})
	g.entries, g.groups = append(g.entries, at), append(g.groups, group)
}

// insert implements finder.
func (g *graph) insert(c *content, reader *reader, numbers []int) {
	for _, number := range numbers {
		at := c.find(number)
		rows, codes, err := reader.entry(c.chunk(at.chunk), int(at.slot))
		if err != nil {
			continue
		}
		g.merger.Merge(codes, rows, func(mean []float32) {
			g.append(g.code, quantized.Values(g.code[:g.width], unit(mean)), at, c.chunk(at.chunk).entries[at.slot].group)
		})
	}
	g.nodes.Link(g.workers, nil)
}

// snapshot implements finder.
func (g *graph) snapshot() proposer { return &graphView{g.nodes.View(), g.entries, g.groups} }

// nowhere is the location of no entry.
var nowhere = location{math.MaxUint32, math.MaxUint32}

// graphView is a graph at one moment.
type graphView struct {
	nodes   *hnsw.View
	entries []location
	groups  []uint64
}

// propose implements proposer: it scores the entries of the nodes that a walk comes to.
func (g *graphView) propose(ctx context.Context, s *scorer) error {
	coded := s.view.represent(s.vectors)
	queries := make([]hnsw.Query, len(coded))
	for i, query := range coded {
		queries[i] = hnsw.Query{Codes: query.Codes, Shift: query.Shift, Scale: float32(query.Scale)}
	}
	passing := g.passing(s.allow)
	if g.scanIsFaster(s, passing) && !s.view.walkAlways {
		return g.scan(ctx, s, queries, passing)
	}
	steps, most := 0, g.nodes.Len()
	if !s.view.walkAlways {
		most = max(fewestSteps, most/walkShare)
	}
	err := g.nodes.Walk(ctx, queries, func(node uint32, score float32) bool {
		steps++
		return steps <= most && s.consider(g.entries[node], float64(score))
	})
	if err != nil || steps <= most {
		return err
	}
	s.hopeless = 0
	return g.scan(ctx, s, queries, passing)
}

// passing gives the nodes whose groups pass a filter; nil where there is none.
func (g *graphView) passing(allow bitset.Set) []uint32 {
	if allow == nil {
		return nil
	}
	var nodes []uint32
	for node, group := range g.groups {
		if allow.Has(group) {
			nodes = append(nodes, uint32(node))
		}
	}
	return nodes
}

// scanIsFaster says whether a scan of what passes is faster than a walk, which comes to what does not pass as well: the fewer pass,
// the less there is to scan, and the longer the walk.
func (g *graphView) scanIsFaster(s *scorer, passing []uint32) bool {
	all, most := float64(g.nodes.Len()), float64(scanNodesPerResult*s.k)
	if s.allow == nil {
		return all < most
	}
	share := float64(len(passing)) / all
	return all*share*share < most/gatherCost
}

// scan proposes like a walk, from the scores of all nodes, or under a filter of those that pass.
func (g *graphView) scan(ctx context.Context, s *scorer, queries []hnsw.Query, passing []uint32) error {
	best := topk.NewMany[uint32](s.view.scoreBudget(s.k))
	threshold := float32(math.Inf(-1))
	offer := func(node uint32, score float32) {
		if score > threshold && s.isThere(g.entries[node]) {
			best.Offer(float64(score), node)
			threshold = float32(best.Threshold())
		}
	}
	var err error
	if s.allow == nil {
		err = g.nodes.Scan(ctx, queries, s.view.kernel.Dot, func(first uint32, scores []float32) {
			for i, score := range scores {
				offer(first+uint32(i), score)
			}
		})
	} else {
		err = g.nodes.ScanSome(ctx, queries, passing, func(first int, scores []float32) {
			for i, score := range scores {
				offer(passing[first+i], score)
			}
		})
	}
	if err != nil {
		return err
	}
	sorted := best.Sorted(func(node uint32) uint64 { return uint64(node) })
	if err := s.considerAll(ctx, len(sorted), func(i int) (location, float64) { return g.entries[sorted[i].Value], sorted[i].Score }); err != nil {
		return err
	}
	return ctx.Err()
}
