package hnsw

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// ErrSaved is wrapped by errors about links that cannot be used: they are damaged, or of
// another graph.
var ErrSaved = errors.New("unusable saved links")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// SaveLinks writes the links of all layers, from the lowest, little-endian: for each layer
//
//	4 the number, in the layer, of the node that walks begin at, or 2^32 - 1
//	4 CRC-32C of these
//
// and for every 1,024 of its nodes, or fewer at the end,
//
//	128 for each node: the numbers, in the layer, of up to 32 neighbours, 2^32 - 1 where there
//	    are fewer
//	4   CRC-32C of these
func (v *View) SaveLinks(w io.Writer) error {
	block := make([]byte, 0, blockRows*maxLinks*4+4)
	for level := range v.layers {
		l := &v.layers[level]
		block = binary.LittleEndian.AppendUint32(block[:0], l.entry)
		if err := writeChecked(w, block); err != nil {
			return err
		}
		for start := 0; start < l.count; start += blockRows {
			block = block[:0]
			for number := start; number < min(start+blockRows, l.count); number++ {
				for _, link := range l.links(uint32(number)) {
					block = binary.LittleEndian.AppendUint32(block, link)
				}
			}
			if err := writeChecked(w, block); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeChecked(w io.Writer, block []byte) error {
	_, err := w.Write(binary.LittleEndian.AppendUint32(block, crc32.Checksum(block, castagnoli)))
	return err
}

// LoadLinks reads what SaveLinks wrote, in place of linking the nodes that were appended to
// this graph: they are those of the graph that was saved, in the same order. After an error,
// which wraps ErrSaved unless it is the reader's, the graph is of no use.
func (g *Graph) LoadLinks(r io.Reader) error {
	block := make([]byte, blockRows*maxLinks*4+4)
	for level := range g.layers {
		if err := g.layers[level].load(r, block); err != nil {
			return fmt.Errorf("layer %d: %w", level, err)
		}
	}
	g.pending = nil
	return nil
}

func (l *layer) load(r io.Reader, block []byte) error {
	if err := readChecked(r, block[:8]); err != nil {
		return err
	}
	l.entry = binary.LittleEndian.Uint32(block)
	if l.entry >= uint32(l.count) {
		return fmt.Errorf("%w: a walk begins at node %d of %d", ErrSaved, l.entry, l.count)
	}
	for start := 0; start < l.count; start += blockRows {
		count := min(blockRows, l.count-start)
		if err := readChecked(r, block[:count*maxLinks*4+4]); err != nil {
			return err
		}
		for i := range count {
			l.own(uint32(start + i))
			links := l.links(uint32(start + i))
			for j := range links {
				links[j] = binary.LittleEndian.Uint32(block[(i*maxLinks+j)*4:])
				if links[j] >= uint32(l.count) && links[j] != none {
					return fmt.Errorf("%w: a link to node %d of %d", ErrSaved, links[j], l.count)
				}
			}
		}
	}
	return nil
}

// readChecked fills a block, whose last four bytes are the checksum of the others.
func readChecked(r io.Reader, block []byte) error {
	_, err := io.ReadFull(r, block)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: cut short", ErrSaved)
	}
	if err != nil {
		return err
	}
	end := len(block) - 4
	if crc32.Checksum(block[:end], castagnoli) != binary.LittleEndian.Uint32(block[end:]) {
		return fmt.Errorf("%w: checksum does not match", ErrSaved)
	}
	return nil
}

// Row gives the codes of a node, which must not change, and what is known of them.
func (v *View) Row(node uint32) (codes []byte, row Row) { return v.rows.row(node), v.rows.facts[node] }
