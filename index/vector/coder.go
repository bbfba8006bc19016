//go:build !windows

package vector

import (
	"context"
	"fmt"
	"maps"
	"math/rand"
	"slices"

	"github.com/coder/hnsw"
)

// Coder is the Graph made of github.com/coder/hnsw, with a node for every vector.
// Version 0.6.1 stops its search early and often misses the nearest, see
// BenchmarkGraphs; Index does not use it.
//
// Nodes of removed groups stay as tombstones until they outnumber the others,
// because that version's Delete can empty a layer, which its Search then
// dereferences.
type Coder struct {
	exact *Exact // the groups, for exact scores
	graph *hnsw.Graph[uint64]
	nodes []coderNode // by key
	of    map[uint64][]uint64
	dead  int
}

type coderNode struct {
	group uint64
	dead  bool
}

// NewCoder gives an empty Coder for vectors of a width.
func NewCoder(width int) *Coder {
	c := &Coder{exact: NewExact(width)}
	c.reset()
	return c
}

func (c *Coder) reset() {
	c.graph = hnsw.NewGraph[uint64]()
	c.graph.M, c.graph.EfSearch = 16, 100
	c.graph.Distance = func(a, b []float32) float32 { return 1 - dot(a, b) }
	c.graph.Rng = rand.New(rand.NewSource(1))
	c.nodes, c.of, c.dead = nil, map[uint64][]uint64{}, 0
}

// Add implements Graph. A group whose addition fails is not in.
func (c *Coder) Add(group uint64, vectors []float32) error {
	if err := checkRows(vectors, c.exact.width); err != nil {
		return err
	}
	if err := c.Remove(group); err != nil {
		return err
	}
	if err := c.link(group, vectors); err != nil {
		c.bury(group)
		return err
	}
	return c.exact.Add(group, vectors)
}

// link adds a node for every row.
func (c *Coder) link(group uint64, vectors []float32) error {
	for row := range slices.Chunk(vectors, c.exact.width) {
		key := uint64(len(c.nodes))
		c.nodes = append(c.nodes, coderNode{group: group})
		c.of[group] = append(c.of[group], key)
		if err := guard(func() { c.graph.Add(hnsw.MakeNode(key, row)) }); err != nil {
			return fmt.Errorf("add group %d: %w", group, err)
		}
	}
	return nil
}

func (c *Coder) bury(group uint64) {
	for _, key := range c.of[group] {
		c.nodes[key].dead = true
		c.dead++
	}
	delete(c.of, group)
}

// Remove implements Graph.
func (c *Coder) Remove(group uint64) error {
	if err := c.exact.Remove(group); err != nil {
		return err
	}
	c.bury(group)
	if c.dead <= len(c.nodes)/2 {
		return nil
	}
	c.reset()
	for _, group := range slices.Sorted(maps.Keys(c.exact.groups)) {
		if err := c.link(group, c.exact.groups[group]); err != nil {
			return err
		}
	}
	return nil
}

// Len implements Graph.
func (c *Coder) Len() int { return c.exact.Len() }

// Search implements Graph. Where the graph leads to fewer groups than it should,
// which a selective filter brings about, all are looked at.
func (c *Coder) Search(ctx context.Context, queries []float32, k int, allow func(group uint64) bool) ([]Neighbour, error) {
	if err := checkRows(queries, c.exact.width); err != nil {
		return nil, err
	}
	if k = min(k, c.Len()); k <= 0 {
		return nil, ctx.Err()
	}
	for ask := 4 * k; ; ask *= 4 {
		ask = min(ask, len(c.nodes))
		groups, err := c.propose(ctx, queries, ask, allow)
		if err != nil {
			return nil, err
		}
		if len(groups) >= k {
			found := make([]Neighbour, 0, len(groups))
			for group := range groups {
				found = append(found, c.exact.score(queries, group))
			}
			return best(found, k), nil
		}
		if ask == len(c.nodes) {
			return c.exact.Search(ctx, queries, k, allow)
		}
	}
}

// propose gives the groups of the nodes that the graph finds near any query.
func (c *Coder) propose(ctx context.Context, queries []float32, ask int, allow func(group uint64) bool) (map[uint64]bool, error) {
	groups := map[uint64]bool{}
	for query := range slices.Chunk(queries, c.exact.width) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var found []hnsw.Node[uint64]
		if err := guard(func() { found = c.graph.Search(query, ask) }); err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		for _, found := range found {
			if node := c.nodes[found.Key]; !node.dead && (allow == nil || allow(node.group)) {
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
