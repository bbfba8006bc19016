package hnsw

import (
	"math/bits"
	"slices"
	"sync"
)

// Kernel computes the dot products of a query with rows of codes: out[i] = sum over j of
// query[j] * rows[i][j]. Rows are as long as the query.
type Kernel func(query []int8, rows [][]byte, out []int32)

// Row is what is known of a row beside its codes: value i is about
// Scale * (codes[i] - 128), and Sum is the sum of codes[i] - 128.
type Row struct {
	Scale float32
	Sum   int32
}

// Graph is a graph that grows. Its methods are for one goroutine at a time; its views are
// for any number, also while it grows.
type Graph struct {
	content
	pending []uint32 // nodes to link
	shared  bool     // with a view
}

// View is a Graph at one moment. It is safe for concurrent use.
type View struct{ content }

// content is what a Graph and its views have. All of it is appended to beyond what a view
// knows, or copied before it changes.
type content struct {
	stride int
	kernel Kernel
	rows   rowTable
	layers []layer
	pool   *sync.Pool
}

// New gives an empty graph of rows of stride bytes.
func New(stride int, kernel Kernel) *Graph {
	return &Graph{content: content{
		stride: stride, kernel: kernel, rows: rowTable{stride: stride},
		pool: &sync.Pool{New: func() any { return newWalker(stride) }},
	}}
}

// Len is the number of nodes.
func (c *content) Len() int { return len(c.rows.facts) }

// Append adds a row, which Link then links. It gives the number of its node: they are
// numbered from zero. The codes are copied; those beyond the row's width have to be zero.
func (g *Graph) Append(codes []byte, row Row) (node uint32) {
	node = uint32(len(g.rows.facts))
	g.rows.add(codes, row)
	g.pending = append(g.pending, node)
	below := node
	for level := range levelOf(node) + 1 {
		if level == len(g.layers) {
			g.layers = append(slices.Clip(g.layers), layer{entry: none})
		}
		below = g.layers[level].add(level, node, below)
	}
	return node
}

// levelOf gives the highest layer that a node is in: one node of 16 is in layer 1, one of
// 256 in layer 2, and so on.
func levelOf(node uint32) int {
	// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
	x := (uint64(node) + 1) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return min(bits.TrailingZeros64(x^x>>31), 63) / 4
}

// View gives the graph as it is now. The layers are the view's own, since Append changes
// those of the graph.
func (g *Graph) View() *View {
	g.shared = true
	view := &View{g.content}
	view.layers = slices.Clone(g.layers)
	return view
}

// unshare makes the tables of pages this graph's own, before they are changed. The pages
// are copied one by one.
func (g *Graph) unshare() {
	if !g.shared {
		return
	}
	for i := range g.layers {
		l := &g.layers[i]
		l.pages = slices.Clone(l.pages)
		clear(l.owned)
	}
	g.shared = false
}

// rowTable is the codes of all rows, in blocks, so that they never move.
type rowTable struct {
	stride int
	blocks [][]byte
	facts  []Row
}

func (t *rowTable) add(codes []byte, row Row) {
	if len(t.facts)%blockRows == 0 {
		t.blocks = append(t.blocks, make([]byte, blockRows*t.stride))
	}
	copy(t.row(uint32(len(t.facts))), codes)
	t.facts = append(t.facts, row)
}

func (t *rowTable) row(node uint32) []byte {
	at := int(node%blockRows) * t.stride
	return t.blocks[node/blockRows][at : at+t.stride : at+t.stride]
}
