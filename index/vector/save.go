package vector

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
)

// ErrSaved is wrapped by errors about what Load reads: it is damaged, or not of this
// version. What was saved can be deleted; it is made again.
var ErrSaved = errors.New("unusable saved cells")

// The form of saved cells, little-endian:
//
//	0  8 "MEKICEL1"
//	8  4 width of the vectors
//	12 4 number of cells
//	16 4 CRC-32C of these 16 bytes
//
// then for each cell
//
//	4     number of members
//	4     scale of the centre (float32)
//	width codes of the centre, biased by 128
//
//	and for each member
//
//	8     group
//	4     CRC-32C of the codes of all the group's vectors
//	4     scale (float32)
//	width codes, biased by 128
//
//	4     CRC-32C of the cell's bytes so far
const savedMagic = "MEKICEL1"

const (
	savedHeader = 20
	savedCell   = 8  // bytes before the codes of a cell's centre
	savedMember = 16 // and of a member
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Save writes the cells of the view, so that Load spares building them. A view
// without cells, as small ones are, writes an empty list.
func (v *View) Save(w io.Writer) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	header := append([]byte(savedMagic), make([]byte, 8)...)
	binary.LittleEndian.PutUint32(header[8:], uint32(v.width))
	binary.LittleEndian.PutUint32(header[12:], uint32(len(v.cells.list)))
	header = binary.LittleEndian.AppendUint32(header, crc32.Checksum(header, castagnoli))
	if _, err := buffered.Write(header); err != nil {
		return fmt.Errorf("save cells: %w", err)
	}
	var block []byte
	for number := range v.cells.list {
		block = v.appendCell(block[:0], number)
		if _, err := buffered.Write(block); err != nil {
			return fmt.Errorf("save cells: %w", err)
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("save cells: %w", err)
	}
	return nil
}

// appendCell appends a cell without its dead members.
func (v *View) appendCell(block []byte, number int) []byte {
	c, count := v.cells.list[number], uint32(0)
	block = binary.LittleEndian.AppendUint32(block, 0)
	block = binary.LittleEndian.AppendUint32(block, math.Float32bits(v.cells.centres.scales[number]))
	block = append(block, v.cells.centres.row(number, v.stride)[:v.width]...)
	for i, place := range c.places {
		entry, at := v.content.at(place)
		if v.content.dead.has(at) {
			continue
		}
		count++
		block = binary.LittleEndian.AppendUint64(block, entry.group)
		block = binary.LittleEndian.AppendUint32(block, v.content.fingerprint(place, v.stride))
		block = binary.LittleEndian.AppendUint32(block, math.Float32bits(c.scales[i]))
		block = append(block, c.codes[i*v.stride:i*v.stride+v.width]...)
	}
	binary.LittleEndian.PutUint32(block, count)
	return binary.LittleEndian.AppendUint32(block, crc32.Checksum(block, castagnoli))
}

// fingerprint tells vectors apart by their codes.
func (c *content) fingerprint(at place, stride int) uint32 {
	chunk := c.chunk(at.chunk)
	return crc32.Checksum(chunk.codes[chunk.entries[at.slot].row*stride:chunk.endRow(int(at.slot))*stride], castagnoli)
}

// Loaded says what Load did.
type Loaded struct {
	// Groups is how many groups of the index are in cells that were read.
	Groups int
	// Linked is how many were not saved, or have other vectors since. They were put
	// into cells now; or, where they are most of the index, nothing that was read is
	// used, and the first View builds all cells.
	Linked int
	// Ignored is how many of the saved representatives are of no group of the index.
	Ignored int
}

// Load reads what Save wrote, after groups were added and before the first View. It
// need not have been saved by an index of the same groups: what has changed since is
// left out or linked. Nothing is read where this index would have no cells. An error
// changes nothing, and wraps ErrSaved unless it is the reader's. Memory is asked for
// in proportion to what is read, and what is read to the index.
func (x *Index) Load(r io.Reader) (Loaded, error) {
	if !x.celled() {
		return Loaded{}, nil
	}
	loading := &loading{index: x, reader: bufio.NewReaderSize(r, 1<<16), in: map[int]bool{}}
	if err := loading.read(); err != nil {
		return Loaded{}, fmt.Errorf("load cells: %w", err)
	}
	missing := loading.missing()
	if missing > len(loading.in) || len(loading.cells.list) == 0 {
		return Loaded{Linked: missing + len(loading.in), Ignored: loading.report.Ignored}, nil
	}
	loading.report.Groups, loading.report.Linked = len(loading.in), missing
	x.cells = loading.cells
	x.linkEach(0, func(number int) bool { return loading.in[number] })
	x.content.linked = x.content.entries
	return loading.report, nil
}

// missing is how many groups of the index are in no cell that was read.
func (l *loading) missing() (missing int) {
	for number := range l.index.content.entries {
		if !l.index.content.dead.has(number) && !l.in[number] {
			missing++
		}
	}
	return missing
}

// loading is a Load under way.
type loading struct {
	index  *Index
	reader io.Reader
	cells  cells
	in     map[int]bool // by number of entry
	report Loaded
	rest   int // how many more members there may be
}

func (l *loading) read() error {
	x := l.index
	header := make([]byte, savedHeader)
	if err := l.fill(header); err != nil {
		return err
	}
	if string(header[:8]) != savedMagic || crc32.Checksum(header[:16], castagnoli) != binary.LittleEndian.Uint32(header[16:]) {
		return fmt.Errorf("%w: the beginning is damaged, or of another version", ErrSaved)
	}
	if width := binary.LittleEndian.Uint32(header[8:]); width != uint32(x.width) {
		return fmt.Errorf("%w: of width %d, expected %d", ErrSaved, width, x.width)
	}
	// A library that has shrunk since is built anew rather than read.
	l.rest = 4*x.content.rows + 1024
	count := binary.LittleEndian.Uint32(header[12:])
	if uint64(count) > uint64(l.rest) {
		return fmt.Errorf("%w: %d cells for %d vectors", ErrSaved, count, x.content.rows)
	}
	for number := range count {
		if err := l.readCell(); err != nil {
			return fmt.Errorf("cell %d of %d: %w", number, count, err)
		}
	}
	return l.finish()
}

// finish checks that nothing follows.
func (l *loading) finish() error {
	switch n, err := l.reader.Read(make([]byte, 1)); {
	case n > 0:
		return fmt.Errorf("%w: bytes after the last cell", ErrSaved)
	case err != nil && !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

func (l *loading) readCell() error {
	x := l.index
	head := make([]byte, savedCell+x.width)
	if err := l.fill(head); err != nil {
		return err
	}
	count := int64(binary.LittleEndian.Uint32(head))
	if count > int64(l.rest) {
		return fmt.Errorf("%w: %d members, more than there can be", ErrSaved, count)
	}
	l.rest -= int(count)
	sum, read := crc32.Checksum(head, castagnoli), &cell{}
	record := make([]byte, savedMember+x.width)
	for range count {
		if err := l.fill(record); err != nil {
			return err
		}
		sum = crc32.Update(sum, castagnoli, record)
		if !l.take(read, record) {
			l.report.Ignored++
		}
	}
	var stored [4]byte
	if err := l.fill(stored[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(stored[:]) != sum {
		return fmt.Errorf("%w: checksum does not match", ErrSaved)
	}
	if len(read.places) > 0 {
		l.cells.list = append(l.cells.list, read)
		l.cells.count += len(read.places)
		l.cells.centres.codes = appendPadded(l.cells.centres.codes, head[savedCell:], x.stride)
		l.cells.centres.scales = append(l.cells.centres.scales, math.Float32frombits(binary.LittleEndian.Uint32(head[4:])))
	}
	return nil
}

// take puts a saved member into a cell if the index has its group, with the same
// vectors.
func (l *loading) take(c *cell, record []byte) bool {
	x := l.index
	number, there := x.where[binary.LittleEndian.Uint64(record)]
	if !there {
		return false
	}
	at := x.content.find(number)
	if !l.in[number] {
		if x.content.fingerprint(at, x.stride) != binary.LittleEndian.Uint32(record[8:]) {
			return false
		}
		l.in[number] = true
		l.cells.groups++
	}
	c.codes = appendPadded(c.codes, record[savedMember:], x.stride)
	c.scales = append(c.scales, math.Float32frombits(binary.LittleEndian.Uint32(record[12:])))
	c.places = append(c.places, at)
	return true
}

func appendPadded(codes, more []byte, stride int) []byte {
	codes = append(codes, more...)
	return append(codes, make([]byte, stride-len(more))...)
}

// fill reads all of it.
func (l *loading) fill(buffer []byte) error {
	_, err := io.ReadFull(l.reader, buffer)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: cut short", ErrSaved)
	}
	return err
}
