package vector

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"mekiki/index/vector/codes"
	"mekiki/index/vector/lists"
)

// ErrSaved is wrapped by errors about what Load reads: it is damaged, or not of this
// version. What was saved can be deleted; it is made again.
var ErrSaved = errors.New("unusable saved graph or inverted lists")

// The former format of saved inverted lists, which is still read; package lists has the present one. It is,
// little-endian:
//
//	0  8 "MEKICEL1"
//	8  4 width of the vectors
//	12 4 number of lists
//	16 4 CRC-32C of these 16 bytes
//
// then for each list
//
//	4     number of postings
//	4     scale of the centroid (float32)
//	width codes of the centroid, biased by 128
//
//	and for each posting
//
//	8     group
//	4     CRC-32C of the codes of all the group's vectors
//	4     scale (float32)
//	width codes, biased by 128
//
//	4     CRC-32C of the list's bytes so far
const formerMagic = "MEKICEL1"

const (
	savedHeader   = 20
	formerList    = 8  // bytes before the codes of a list's centroid
	formerPosting = 16 // and of a posting
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Save writes the graph or the inverted lists of the view, so that Load need not build
// them. A view without either, as small ones are, writes that there are no lists.
func (v *View) Save(w io.Writer) error {
	if v.proposer == nil {
		return (&ivf{}).save(v, w)
	}
	return v.proposer.save(v, w)
}

// fingerprint is the checksum of an entry's codes, by which Load knows whether its vectors
// changed.
func (c *content) fingerprint(at location, stride int) uint32 {
	chunk := c.chunk(at.chunk)
	entry := &chunk.entries[at.slot]
	if chunk.saved != nil {
		return entry.sum
	}
	return codes.Sum(chunk.codes[int(entry.row)*stride : chunk.endRow(int(at.slot))*stride])
}

// Loaded says what Load did.
type Loaded struct {
	// Groups is how many groups of the index are in lists that were read.
	Groups int
	// Inserted is how many were not saved, or have other vectors since. They were
	// inserted into the lists now; or, where they are most of the index, nothing that
	// was read is used, and the first View builds all lists.
	Inserted int
	// Ignored is how many of the saved representatives are of no group of the index.
	Ignored int
}

// Load reads what Save wrote, after groups were added and before the first View. It
// need not have been saved by an index of the same groups: what has changed since is
// left out or inserted. Nothing is read where this index would have no lists. An error
// changes nothing, and wraps ErrSaved unless it is the reader's. Memory is asked for
// in proportion to what is read, and what is read to the index.
func (x *Index) Load(r io.Reader) (Loaded, error) {
	if x.Method() == Exact || x.Method() == Coder {
		return Loaded{}, nil
	}
	if x.Method() == HNSW {
		return x.loadGraph(r)
	}
	buffered := bufio.NewReaderSize(r, 1<<16)
	if begin, _ := buffered.Peek(len(lists.Magic)); string(begin) == lists.Magic {
		data, err := io.ReadAll(buffered)
		if err != nil {
			return Loaded{}, fmt.Errorf("load inverted lists: %w", err)
		}
		loaded, _, err := x.LoadFile(bytes.NewReader(data), int64(len(data)))
		return loaded, err
	}
	loading := &loading{index: x, ivf: ivf{inserter: newInserter(x.width, x.kernel)}, reader: buffered, listed: map[int]bool{}}
	if err := loading.read(); err != nil {
		return Loaded{}, fmt.Errorf("load inverted lists: %w", err)
	}
	missing := loading.missing()
	if missing > len(loading.listed) || len(loading.ivf.lists) == 0 {
		return Loaded{Inserted: missing + len(loading.listed), Ignored: loading.report.Ignored}, nil
	}
	loading.report.Groups, loading.report.Inserted = len(loading.listed), missing
	x.finder = &loading.ivf
	x.insertFrom(0, func(number int) bool { return loading.listed[number] })
	x.content.listed = x.content.entries
	return loading.report, nil
}

// missing is how many groups of the index are in no list that was read.
func (l *loading) missing() (missing int) {
	for number := range l.index.content.entries {
		if !l.index.content.removed.has(number) && !l.listed[number] {
			missing++
		}
	}
	return missing
}

// loading is a Load under way.
type loading struct {
	index  *Index
	reader io.Reader
	ivf    ivf
	listed map[int]bool // by number of entry
	report Loaded
	rest   int // how many more postings there may be
}

// readSavedHeader reads what a saved index begins with: eight bytes that say what it is, the width of its vectors, how many
// lists or nodes follow, and the CRC-32C of these.
func readSavedHeader(reader io.Reader, magic string, width int) (count uint32, err error) {
	header := make([]byte, savedHeader)
	if err := readFull(reader, header); err != nil {
		return 0, err
	}
	if string(header[:8]) != magic || crc32.Checksum(header[:16], castagnoli) != binary.LittleEndian.Uint32(header[16:]) {
		return 0, fmt.Errorf("%w: the beginning is damaged, or of another version", ErrSaved)
	}
	if saved := binary.LittleEndian.Uint32(header[8:]); saved != uint32(width) {
		return 0, fmt.Errorf("%w: of width %d, expected %d", ErrSaved, saved, width)
	}
	return binary.LittleEndian.Uint32(header[12:]), nil
}

func (l *loading) read() error {
	x := l.index
	count, err := readSavedHeader(l.reader, formerMagic, x.width)
	if err != nil {
		return err
	}
	// A library that has shrunk since is built anew rather than read.
	l.rest = 4*x.content.rows + 1024
	if uint64(count) > uint64(l.rest) {
		return fmt.Errorf("%w: %d lists for %d vectors", ErrSaved, count, x.content.rows)
	}
	for number := range count {
		if err := l.readList(); err != nil {
			return fmt.Errorf("list %d of %d: %w", number, count, err)
		}
	}
	return finish(l.reader)
}

// finish checks that nothing follows.
func finish(r io.Reader) error {
	switch n, err := r.Read(make([]byte, 1)); {
	case n > 0:
		return fmt.Errorf("%w: bytes after the end", ErrSaved)
	case err != nil && !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

func (l *loading) readList() error {
	x := l.index
	head := make([]byte, formerList+x.width)
	if err := readFull(l.reader, head); err != nil {
		return err
	}
	count := int64(binary.LittleEndian.Uint32(head))
	if count > int64(l.rest) {
		return fmt.Errorf("%w: %d postings, more than there can be", ErrSaved, count)
	}
	l.rest -= int(count)
	sum, read := crc32.Checksum(head, castagnoli), &invertedList{}
	record := make([]byte, formerPosting+x.width)
	for range count {
		if err := readFull(l.reader, record); err != nil {
			return err
		}
		sum = crc32.Update(sum, castagnoli, record)
		if !l.restore(read, record) {
			l.report.Ignored++
		}
	}
	var stored [4]byte
	if err := readFull(l.reader, stored[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(stored[:]) != sum {
		return fmt.Errorf("%w: checksum does not match", ErrSaved)
	}
	if len(read.postings) > 0 {
		l.ivf.lists = append(l.ivf.lists, read)
		l.ivf.postings += len(read.postings)
		l.ivf.centroids.codes = appendPadded(l.ivf.centroids.codes, head[formerList:], x.stride)
		l.ivf.centroids.scales = append(l.ivf.centroids.scales, math.Float32frombits(binary.LittleEndian.Uint32(head[4:])))
	}
	return nil
}

// restore appends a saved posting to a list if the index has its group, with the same
// vectors.
func (l *loading) restore(list *invertedList, record []byte) bool {
	x := l.index
	number, found := x.numbers[binary.LittleEndian.Uint64(record)]
	if !found {
		return false
	}
	at := x.content.find(number)
	if !l.listed[number] {
		if x.content.fingerprint(at, x.stride) != binary.LittleEndian.Uint32(record[8:]) {
			return false
		}
		l.listed[number] = true
		l.ivf.groups++
	}
	list.codes = appendPadded(list.codes, record[formerPosting:], x.stride)
	list.scales = append(list.scales, math.Float32frombits(binary.LittleEndian.Uint32(record[12:])))
	list.postings = append(list.postings, at)
	return true
}

func appendPadded(codes, more []byte, stride int) []byte {
	codes = append(codes, more...)
	return append(codes, make([]byte, stride-len(more))...)
}

// readFull reads a whole buffer.
func readFull(r io.Reader, buffer []byte) error {
	_, err := io.ReadFull(r, buffer)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: cut short", ErrSaved)
	}
	return err
}
