package hnsw

import "slices"

// layer is the nodes of a layer, by numbers of their own, and their links.
type layer struct {
	// nodes and below give each node's number in layer 0 and in the layer below; nil in
	// layer 0, where a node's number is its own.
	nodes, below []uint32
	count        int    // of nodes
	entry        uint32 // the node that was linked first
	pages        []*page
	owned        []bool // the pages that no view has
	slab         []page // pages to use next
}

// page is the links of pageNodes nodes; none where a node has fewer.
type page [pageNodes * maxLinks]uint32

// none stands in place of a link.
const none = ^uint32(0)

// add adds a node without links, and gives its number in this layer.
func (l *layer) add(level int, node, below uint32) uint32 {
	number := uint32(l.count)
	if level > 0 {
		l.nodes, l.below = append(l.nodes, node), append(l.below, below)
	}
	l.count++
	return number
}

// node gives a number's node in layer 0.
func (l *layer) node(number uint32) uint32 {
	if l.nodes == nil {
		return number
	}
	return l.nodes[number]
}

// number gives the number of a node of the layer.
func (l *layer) number(node uint32) uint32 {
	if l.nodes == nil {
		return node
	}
	number, _ := slices.BinarySearch(l.nodes, node)
	return uint32(number)
}

// links gives the links of a node, those that are not none first.
func (l *layer) links(number uint32) []uint32 {
	at := number % pageNodes * maxLinks
	return l.pages[number/pageNodes][at : at+maxLinks : at+maxLinks]
}

// own makes the page with a node's links this graph's own, or adds it.
func (l *layer) own(number uint32) {
	at := int(number / pageNodes)
	for at >= len(l.pages) {
		fresh := l.take()
		for i := range fresh {
			fresh[i] = none
		}
		l.pages, l.owned = append(l.pages, fresh), append(l.owned, true)
	}
	if !l.owned[at] {
		fresh := l.take()
		*fresh = *l.pages[at]
		l.pages[at], l.owned[at] = fresh, true
	}
}

// take gives an unused page.
func (l *layer) take() *page {
	if len(l.slab) == 0 {
		l.slab = make([]page, slabPages)
	}
	fresh := &l.slab[0]
	l.slab = l.slab[1:]
	return fresh
}
