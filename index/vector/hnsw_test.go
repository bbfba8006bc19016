//go:build !windows

package vector

import (
	"context"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"testing"

	"github.com/coder/hnsw"
)

// hnswGraph is a searcher over github.com/coder/hnsw (Malkov and Yashunin, arXiv
// 1603.09320), with a node for every vector. It is here to be measured: version 0.6.1
// ends its search early and often misses the nearest, see BenchmarkSearchers and
// docs/decisions/0001-vector-index.md.
//
// Nodes of removed groups stay as tombstones until they outnumber the others,
// because that version's Delete can empty a layer, which its Search then
// dereferences.
type hnswGraph struct {
	exact *exhaustive // the groups, for exact scores
	graph *hnsw.Graph[uint64]
	nodes []hnswNode // by key
	of    map[uint64][]uint64
	dead  int
}

type hnswNode struct {
	group uint64
	dead  bool
}

// newHNSW gives an empty graph for vectors of a width.
func newHNSW(width int) *hnswGraph {
	h := &hnswGraph{exact: newExhaustive(width)}
	h.reset()
	return h
}

func (h *hnswGraph) reset() {
	h.graph = hnsw.NewGraph[uint64]()
	h.graph.M, h.graph.EfSearch = 16, 100
	h.graph.Distance = func(a, b []float32) float32 { return 1 - dot(a, b) }
	h.graph.Rng = rand.New(rand.NewSource(1))
	h.nodes, h.of, h.dead = nil, map[uint64][]uint64{}, 0
}

// Add implements searcher. A group whose addition fails is not in.
func (h *hnswGraph) Add(group uint64, vectors []float32) error {
	if err := checkRows(vectors, h.exact.width); err != nil {
		return err
	}
	if err := h.Remove(group); err != nil {
		return err
	}
	if err := h.link(group, vectors); err != nil {
		h.tombstone(group)
		return err
	}
	return h.exact.Add(group, vectors)
}

// link adds a node for every row.
func (h *hnswGraph) link(group uint64, vectors []float32) error {
	for row := range slices.Chunk(vectors, h.exact.width) {
		key := uint64(len(h.nodes))
		h.nodes = append(h.nodes, hnswNode{group: group})
		h.of[group] = append(h.of[group], key)
		if err := guard(func() { h.graph.Add(hnsw.MakeNode(key, row)) }); err != nil {
			return fmt.Errorf("add group %d: %w", group, err)
		}
	}
	return nil
}

func (h *hnswGraph) tombstone(group uint64) {
	for _, key := range h.of[group] {
		h.nodes[key].dead = true
		h.dead++
	}
	delete(h.of, group)
}

// Remove implements searcher.
func (h *hnswGraph) Remove(group uint64) error {
	if err := h.exact.Remove(group); err != nil {
		return err
	}
	h.tombstone(group)
	if h.dead <= len(h.nodes)/2 {
		return nil
	}
	h.reset()
	for _, group := range slices.Sorted(maps.Keys(h.exact.groups)) {
		if err := h.link(group, h.exact.groups[group]); err != nil {
			return err
		}
	}
	return nil
}

// Len implements searcher.
func (h *hnswGraph) Len() int { return h.exact.Len() }

// Search implements searcher. Where the graph leads to fewer groups than it should,
// which a selective filter brings about, all are looked at.
func (h *hnswGraph) Search(ctx context.Context, queries []float32, k int, allow func(group uint64) bool) ([]Neighbour, error) {
	if err := checkRows(queries, h.exact.width); err != nil {
		return nil, err
	}
	if k = min(k, h.Len()); k <= 0 {
		return nil, ctx.Err()
	}
	for ask := 4 * k; ; ask *= 4 {
		ask = min(ask, len(h.nodes))
		groups, err := h.candidates(ctx, queries, ask, allow)
		if err != nil {
			return nil, err
		}
		if len(groups) >= k {
			found := make([]Neighbour, 0, len(groups))
			for group := range groups {
				found = append(found, h.exact.score(queries, group))
			}
			return best(found, k), nil
		}
		if ask == len(h.nodes) {
			return h.exact.Search(ctx, queries, k, allow)
		}
	}
}

// candidates gives the groups of the nodes that the graph finds near any query.
func (h *hnswGraph) candidates(ctx context.Context, queries []float32, ask int, allow func(group uint64) bool) (map[uint64]bool, error) {
	groups := map[uint64]bool{}
	for query := range slices.Chunk(queries, h.exact.width) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var found []hnsw.Node[uint64]
		if err := guard(func() { found = h.graph.Search(query, ask) }); err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		for _, found := range found {
			if node := h.nodes[found.Key]; !node.dead && (allow == nil || allow(node.group)) {
				groups[node.group] = true
			}
		}
	}
	return groups, nil
}

// guard turns a panic of the graph into an error.
func guard(do func()) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("hnsw graph: %v", cause)
		}
	}()
	do()
	return nil
}

var hnswSearchers = []searcherCase{{"coder/hnsw", func() searcher { return newHNSW(testWidth) }, 0}}

func TestGuard(t *testing.T) {
	if err := guard(func() { panic("broken") }); err == nil {
		t.Error("a panic is no error")
	}
}
