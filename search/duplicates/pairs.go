package duplicates

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"

	"mekiki/index"
)

// pair is two pictures that are alike, the one with the lower id first.
type pair struct {
	a, b       index.ID
	similarity float32
}

// pairs is what comparing scenes has found so far, in one space.
type pairs struct {
	// space is the fingerprint of the model whose vectors were compared.
	space string
	// compared says of which pictures the neighbours were looked at, with the beginning of their content's hash: a record
	// may get another content.
	compared map[index.ID]uint64
	// found is in order of the ids, each pair once.
	found []pair
}

func newPairs(space string) *pairs { return &pairs{space: space, compared: map[index.ID]uint64{}} }

// contentOf is the beginning of a record's hash.
func contentOf(record *index.Record) uint64 { return binary.BigEndian.Uint64(record.Hash[:8]) }

// has reports whether a picture was compared as it is.
func (p *pairs) has(record *index.Record) bool {
	content, there := p.compared[record.ID]
	return there && content == contentOf(record)
}

// with gives the pairs with further ones, without those of pictures that are not there as they were compared.
func (p *pairs) with(compared []*index.Record, found []pair, there func(index.ID) *index.Record) *pairs {
	next := newPairs(p.space)
	maps.Copy(next.compared, p.compared)
	maps.DeleteFunc(next.compared, func(id index.ID, content uint64) bool {
		record := there(id)
		return record == nil || contentOf(record) != content
	})
	stands := func(each pair) bool {
		_, a := next.compared[each.a]
		_, b := next.compared[each.b]
		return a && b
	}
	for _, each := range p.found {
		if stands(each) {
			next.found = append(next.found, each)
		}
	}
	for _, record := range compared {
		if there(record.ID) != nil {
			next.compared[record.ID] = contentOf(record)
		}
	}
	next.found = append(next.found, found...)
	slices.SortFunc(next.found, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.a, b.a), cmp.Compare(a.b, b.b), cmp.Compare(b.similarity, a.similarity))
	})
	next.found = slices.CompactFunc(next.found, func(a, b pair) bool { return a.a == b.a && a.b == b.b })
	if len(next.found) > maximumPairs {
		next.found = next.found[:maximumPairs]
	}
	return next
}

// The file of pairs: a line that names form and version, then everything as varints but for contents and similarities, and at
// the end the CRC-32C of all before it.
const pairsMagic = "mekiki scenes 1\n"

var errPairs = errors.New("the file of compared pictures is damaged")

// encode gives the bytes of the file.
func (p *pairs) encode() []byte {
	out := []byte(pairsMagic)
	out = binary.AppendUvarint(out, uint64(len(p.space)))
	out = append(out, p.space...)
	out = binary.AppendUvarint(out, uint64(len(p.compared)))
	last := index.ID(0)
	for _, id := range slices.Sorted(maps.Keys(p.compared)) {
		out = binary.AppendUvarint(out, uint64(id-last))
		out = binary.BigEndian.AppendUint64(out, p.compared[id])
		last = id
	}
	out = binary.AppendUvarint(out, uint64(len(p.found)))
	last = 0
	for _, each := range p.found {
		out = binary.AppendUvarint(out, uint64(each.a-last))
		out = binary.AppendUvarint(out, uint64(each.b-each.a))
		out = binary.BigEndian.AppendUint32(out, math.Float32bits(each.similarity))
		last = each.a
	}
	return binary.BigEndian.AppendUint32(out, crc32.Checksum(out, crc32.MakeTable(crc32.Castagnoli)))
}

// decodePairs reads what encode gives.
func decodePairs(data []byte) (*pairs, error) {
	body := len(data) - 4
	if body < len(pairsMagic) || string(data[:len(pairsMagic)]) != pairsMagic {
		return nil, errPairs
	}
	if crc32.Checksum(data[:body], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(data[body:]) {
		return nil, errPairs
	}
	r := &pairsReader{bytes.NewReader(data[len(pairsMagic):body]), nil}
	space := make([]byte, r.count(1))
	r.fill(space)
	p := newPairs(string(space))
	last := uint64(0)
	for range r.count(9) {
		last += r.varint()
		var content [8]byte
		r.fill(content[:])
		p.compared[index.ID(last)] = binary.BigEndian.Uint64(content[:])
	}
	last = 0
	count := r.count(6)
	p.found = make([]pair, 0, count)
	for range count {
		last += r.varint()
		each := pair{a: index.ID(last), b: index.ID(last + r.varint())}
		var similarity [4]byte
		r.fill(similarity[:])
		each.similarity = math.Float32frombits(binary.BigEndian.Uint32(similarity[:]))
		p.found = append(p.found, each)
	}
	if r.err != nil || r.data.Len() > 0 {
		return nil, fmt.Errorf("%w: %d bytes are left", errPairs, r.data.Len())
	}
	return p, nil
}

// pairsReader reads until the first error.
type pairsReader struct {
	data *bytes.Reader
	err  error
}

func (r *pairsReader) varint() uint64 {
	value, err := binary.ReadUvarint(r.data)
	r.err = errors.Join(r.err, err)
	return value
}

// count reads how many entries of at least so many bytes follow, and no more than can.
func (r *pairsReader) count(least int) int {
	value := r.varint()
	if value > uint64(r.data.Len()/least) {
		r.err = errors.Join(r.err, errPairs)
		return 0
	}
	return int(value)
}

func (r *pairsReader) fill(buffer []byte) {
	if _, err := io.ReadFull(r.data, buffer); err != nil {
		r.err = errors.Join(r.err, err)
	}
}
