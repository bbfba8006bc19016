package vector

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"mekiki/index/vector/hnsw"
	"mekiki/index/vector/quantized"
)

// The format of a saved graph, little-endian:
//
//	0  8 "MEKIHNS1"
//	8  4 width of the vectors
//	12 4 number of nodes
//	16 4 CRC-32C of these 16 bytes
//
// then for every 256 nodes, or fewer at the end, for each
//
//	8     group; 2^64 - 1 if it was removed
//	4     CRC-32C of the codes of all the group's vectors
//	4     scale (float32)
//	width codes, biased by 128
//	4     CRC-32C of these nodes
//
// and then the links, see hnsw.View.SaveLinks.
const (
	graphMagic = "MEKIHNS1"
	graphBlock = 256
	graphNode  = 16 // bytes before a node's codes
)

// save implements proposer.
func (g *graphView) save(v *View, w io.Writer) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	block := append([]byte(graphMagic), make([]byte, 8)...)
	binary.LittleEndian.PutUint32(block[8:], uint32(v.width))
	binary.LittleEndian.PutUint32(block[12:], uint32(len(g.entries)))
	_, err := buffered.Write(binary.LittleEndian.AppendUint32(block, crc32.Checksum(block, castagnoli)))
	for start := 0; start < len(g.entries) && err == nil; start += graphBlock {
		block = block[:0]
		for node := start; node < min(start+graphBlock, len(g.entries)); node++ {
			block = g.appendNode(block, v, uint32(node))
		}
		_, err = buffered.Write(binary.LittleEndian.AppendUint32(block, crc32.Checksum(block, castagnoli)))
	}
	if err == nil {
		err = g.nodes.SaveLinks(buffered)
	}
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("save graph: %w", err)
	}
	return nil
}

func (g *graphView) appendNode(block []byte, v *View, node uint32) []byte {
	group, fingerprint := uint64(math.MaxUint64), uint32(0)
	if at := g.entries[node]; at != nowhere {
		if entry, number := v.content.at(at); !v.content.removed.Has(number) {
			group, fingerprint = entry.group, v.content.fingerprint(at, v.stride)
		}
	}
	codes, row := g.nodes.Row(node)
	block = binary.LittleEndian.AppendUint64(block, group)
	block = binary.LittleEndian.AppendUint32(block, fingerprint)
	block = binary.LittleEndian.AppendUint32(block, math.Float32bits(row.Scale))
	return append(block, codes[:v.width]...)
}

// loadGraph is Load of a graph.
func (x *Index) loadGraph(r io.Reader) (Loaded, error) {
	l := &graphLoading{index: x, reader: bufio.NewReaderSize(r, 1<<16), graph: newGraph(x.width, x.kernel), state: make([]byte, x.content.entries)}
	if err := l.read(); err != nil {
		if errors.Is(err, hnsw.ErrSaved) {
			err = fmt.Errorf("%w: %w", ErrSaved, err)
		}
		return Loaded{}, fmt.Errorf("load graph: %w", err)
	}
	missing := x.content.entries - x.content.removed.Count() - l.report.Groups
	if nodes := len(l.graph.entries); missing > l.report.Groups || l.report.Ignored > nodes/2 || nodes == 0 {
		return Loaded{Inserted: missing + l.report.Groups, Ignored: l.report.Ignored}, nil
	}
	l.report.Inserted = missing
	x.finder, x.method = l.graph, HNSW
	x.insertFrom(0, func(number int) bool { return l.state[number] == stateSame })
	x.content.listed = x.content.entries
	return l.report, nil
}

// What a loading knows of an entry: stateSame if its vectors are those that were saved.
const stateUnknown, stateSame, stateOther = 0, 1, 2

// graphLoading is a Load of a graph under way.
type graphLoading struct {
	index  *Index
	reader io.Reader
	graph  *graph
	state  []byte // of each entry
	report Loaded
}

func (l *graphLoading) read() error {
	x := l.index
	count, err := readSavedHeader(l.reader, graphMagic, x.width)
	if err != nil {
		return err
	}
	// A library that has shrunk since is built anew rather than read.
	nodes := int64(count)
	if nodes > int64(8*x.content.rows+1024) {
		return fmt.Errorf("%w: %d nodes for %d vectors", ErrSaved, nodes, x.content.rows)
	}
	record := graphNode + x.width
	block := make([]byte, graphBlock*record+4)
	for start := int64(0); start < nodes; start += graphBlock {
		part := block[:min(graphBlock, int(nodes-start))*record+4]
		if err := readFull(l.reader, part); err != nil {
			return err
		}
		end := len(part) - 4
		if crc32.Checksum(part[:end], castagnoli) != binary.LittleEndian.Uint32(part[end:]) {
			return fmt.Errorf("%w: checksum of the nodes from %d does not match", ErrSaved, start)
		}
		for at := 0; at < end; at += record {
			if err := l.restore(part[at : at+record]); err != nil {
				return err
			}
		}
	}
	if err := l.graph.nodes.LoadLinks(l.reader); err != nil {
		return err
	}
	return finish(l.reader)
}

// restore appends a saved node. One of a group that is gone, or has other vectors since,
// stays for walks to go through.
func (l *graphLoading) restore(record []byte) error {
	x, at, group := l.index, nowhere, binary.LittleEndian.Uint64(record)
	if number, found := x.numbers.Get(group); found {
		where := x.content.find(number)
		if l.state[number] == stateUnknown {
			l.state[number] = stateOther
			if x.content.fingerprint(where, x.stride) == binary.LittleEndian.Uint32(record[8:]) {
				l.state[number] = stateSame
				l.report.Groups++
			}
		}
		if l.state[number] == stateSame {
			at = where
		}
	}
	if at == nowhere {
		l.report.Ignored++
	}
	scale := math.Float32frombits(binary.LittleEndian.Uint32(record[12:]))
	if !quantized.IsFinite(scale) {
		return fmt.Errorf("%w: a scale is no number", ErrSaved)
	}
	copy(l.graph.code, record[graphNode:])
	l.graph.append(l.graph.code, scale, at, group)
	return nil
}
