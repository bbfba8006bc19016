// Package trie finds which of many strings a text begins with, one step a byte.
//
//	a trie of "a", "ab" and "b", read along "abc":  a(1) b(2) -
//
// Its edges live in one open-addressing table, so that a step is one probe and
// nothing is allocated.
package trie

import "math/bits"

// None is the value of a node at which no string ends, and the node that an edge
// leads to that is not there.
const None = -1

// Trie maps strings to values. It is safe for concurrent use once all strings are
// inserted.
type Trie struct {
	edges  []edge
	shift  int
	values []int32    // by node
	first  [256]int32 // the nodes that the root leads to, or 0
}

// edge leads from a node, over a byte, to a node. No edge leads to node 0, the
// root, so that a target of 0 marks a free slot.
type edge struct {
	key    uint32 // node<<8 | byte
	target int32
}

// New returns a trie with room for strings of so many bytes together; it grows
// where they are more.
func New(bytes int) *Trie {
	t := &Trie{values: make([]int32, 1, bytes/2+1)}
	t.values[0] = None
	t.resize(max(bits.Len(uint(bytes)), 4))
	return t
}

func (t *Trie) resize(power int) {
	old := t.edges
	t.edges, t.shift = make([]edge, 1<<power), 32-power
	for _, e := range old {
		if e.target != 0 {
			t.edges[t.slot(e.key)] = e
		}
	}
}

// slot returns the slot of a key, or the free one where it would be.
func (t *Trie) slot(key uint32) int {
	at := int(key * 0x9E3779B1 >> t.shift)
	for t.edges[at].target != 0 && t.edges[at].key != key {
		at = (at + 1) & (len(t.edges) - 1)
	}
	return at
}

// Insert adds a string, or changes the value of one that is there. A value is not
// negative, and all strings together have at most MaximumBytes.
func (t *Trie) Insert(text string, value int32) {
	node := int32(0)
	for i := range len(text) {
		key := uint32(node)<<8 | uint32(text[i])
		at := t.slot(key)
		if t.edges[at].target == 0 {
			if 2*len(t.values) > len(t.edges) {
				t.resize(32 - t.shift + 1)
				at = t.slot(key)
			}
			t.edges[at] = edge{key, int32(len(t.values))}
			if node == 0 {
				t.first[text[i]] = t.edges[at].target
			}
			t.values = append(t.values, None)
		}
		node = t.edges[at].target
	}
	t.values[node] = value
}

// Next returns the node that a byte leads to from a node, of which 0 is the root,
// and the value of the string that ends there. It returns None, None where no
// string goes on so.
func (t *Trie) Next(node int32, b byte) (next, value int32) {
	next = t.first[b]
	if node != 0 {
		next = t.edges[t.slot(uint32(node)<<8|uint32(b))].target
	}
	if next == 0 {
		return None, None
	}
	return next, t.values[next]
}

// Find returns the value of a string, or None.
func (t *Trie) Find(text string) int32 {
	node, value := int32(0), t.values[0]
	for i := range len(text) {
		if node, value = t.Next(node, text[i]); node == None {
			return None
		}
	}
	return value
}

// Longest returns the value and the length of the longest string that a text begins
// with, or None and 0.
func (t *Trie) Longest(text string) (value int32, length int) {
	value = None
	node := int32(0)
	for i := range len(text) {
		next, found := t.Next(node, text[i])
		if next == None {
			break
		}
		if found != None {
			value, length = found, i+1
		}
		node = next
	}
	return value, length
}
