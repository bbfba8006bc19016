package wordpiece

import (
	"math/bits"
	"strings"
)

// continuation marks a piece that does not start a word.
const continuation = "##"

// trie finds the longest token that starts a string. Its edges live in one
// open-addressing table, so that a lookup is one probe per byte and nothing is
// allocated.
type trie struct {
	edges []edge
	shift uint
	ids   []int32 // by node; -1 when no token ends there
	root  [256]uint32
}

// edge leads from a node, over a byte, to a node. Node 0 is the root, which no
// edge leads to, so a target of 0 marks an empty slot.
type edge struct {
	from   uint32 // node<<8 | byte
	target uint32
}

// buildTries makes the trie of the tokens that can start a word and of those
// that continue one.
func buildTries(tokens []string) (initial, inner trie) {
	var initialBytes, innerBytes int
	for _, token := range tokens {
		if strings.HasPrefix(token, continuation) {
			innerBytes += len(token)
		} else {
			initialBytes += len(token)
		}
	}
	initial, inner = newTrie(initialBytes+innerBytes), newTrie(innerBytes)
	for id, token := range tokens {
		initial.insert(token, int32(id))
		if piece, ok := strings.CutPrefix(token, continuation); ok {
			inner.insert(piece, int32(id))
		}
	}
	return initial, inner
}

// newTrie returns a trie with room for tokens of size bytes in total.
func newTrie(size int) trie {
	power := bits.Len(uint(max(size, 1)*2 - 1))
	return trie{edges: make([]edge, 1<<power), shift: 64 - uint(power), ids: []int32{-1}}
}

// slot returns the index where the edge from a node over a byte is, or where
// it would go.
func (t *trie) slot(from uint32) int {
	mask := len(t.edges) - 1
	i := int(uint64(from) * 0x9E3779B97F4A7C15 >> t.shift)
	for t.edges[i].target != 0 && t.edges[i].from != from {
		i = (i + 1) & mask
	}
	return i
}

// insert adds a token. The empty token matches nothing and is left out.
func (t *trie) insert(token string, id int32) {
	if token == "" {
		return
	}
	node := uint32(0)
	for i := range len(token) {
		next := t.step(node, token[i])
		if next == 0 {
			next = uint32(len(t.ids))
			t.ids = append(t.ids, -1)
			if node == 0 {
				t.root[token[i]] = next
			} else {
				from := node<<8 | uint32(token[i])
				t.edges[t.slot(from)] = edge{from: from, target: next}
			}
		}
		node = next
	}
	t.ids[node] = id
}

// step follows the edge from node over b, and returns 0 when there is none.
func (t *trie) step(node uint32, b byte) uint32 {
	if node == 0 {
		return t.root[b]
	}
	return t.edges[t.slot(node<<8|uint32(b))].target
}

// longest returns the length and the id of the longest token that starts word,
// or length 0.
func (t *trie) longest(word []byte) (length int, id int32) {
	node := uint32(0)
	for i, b := range word {
		if node = t.step(node, b); node == 0 {
			break
		}
		if found := t.ids[node]; found >= 0 {
			length, id = i+1, found
		}
	}
	return length, id
}
