package vector

import (
	"fmt"
	"io"

	"mekiki/index/vector/codes"
	"mekiki/index/vector/quantized"
)

// savedChunk says where in a file the codes of a chunk's entries are.
type savedChunk struct {
	file *codes.File
	at   int64 // the record of the first entry
	rows int   // of all entries
}

// place gives where an entry's record is.
func (s *savedChunk) place(c *chunk, slot, stride int) int64 {
	row := s.rows
	if slot < len(c.entries) {
		row = int(c.entries[slot].row)
	}
	return s.at + codes.Size(row, stride) + int64(slot-1)*codes.Size(0, stride)
}

// reader reads the codes of entries, from memory or from a file. It is for one goroutine
// at a time.
type reader struct {
	width, stride int
	values        Values
	buffer        codes.Buffer
}

func (x *Index) newReader() *reader {
	return &reader{width: x.width, stride: x.stride, values: x.options.Values}
}

// fill prepares for reading the entries of a chunk from one to before another.
func (r *reader) fill(c *chunk, start, end int) {
	if c.saved != nil && start < end {
		at := c.saved.place(c, start, r.stride)
		c.saved.file.Fill(&r.buffer, at, c.saved.place(c, end, r.stride)-at)
	}
}

// entry gives an entry's codes and what is known of its rows; they are good until the next
// call. Codes that cannot be read are made anew of the group's vectors.
func (r *reader) entry(c *chunk, slot int) ([]codes.Row, []byte, error) {
	e := &c.entries[slot]
	first, end := int(e.row), c.endRow(slot)
	if c.saved == nil {
		return c.rows[first:end], c.codes[first*r.stride : end*r.stride], nil
	}
	rows, read, err := c.saved.file.Read(&r.buffer, c.saved.place(c, slot, r.stride), end-first, e.sum)
	if err == nil || r.values == nil {
		return rows, read, err
	}
	values, err := readValues(r.values, e.group, nil, (end-first)*r.width)
	if err != nil {
		return nil, nil, err
	}
	rows, made := quantized.Encode(values, r.width)
	if codes.Sum(made) != e.sum {
		return nil, nil, fmt.Errorf("codes of group %d: its vectors are others now", e.group)
	}
	return rows, made, nil
}

// Codes is an open file of codes, which any number of indexes may use.
type Codes struct {
	file    *codes.File
	stride  int
	entries []codes.Entry
}

// OpenCodes opens a file of size bytes that codes.Writer wrote of vectors of a width. An
// error wraps codes.ErrDamaged unless it is the reader's.
func OpenCodes(file io.ReaderAt, size int64, width int) (*Codes, error) {
	stride := quantized.Stride(width)
	opened, entries, err := codes.Open(file, size, width, stride)
	if err != nil {
		return nil, fmt.Errorf("open codes: %w", err)
	}
	return &Codes{opened, stride, entries}, nil
}

// Damaged reports whether something was read that was not as it was written.
func (c *Codes) Damaged() bool { return c.file.Damaged() }

// Entries gives what is in the file, in its order.
func (c *Codes) Entries() []codes.Entry { return c.entries }

// Copy writes the entries that keep says into another file.
func (c *Codes) Copy(to *codes.Writer, keep func(number int) bool) error {
	var buffer codes.Buffer
	at := codes.First()
	for number, entry := range c.entries {
		if keep(number) {
			rows, read, err := c.file.Read(&buffer, at, entry.Rows, entry.Sum)
			if err == nil {
				err = to.Add(entry.Group, entry.Identity, rows, read)
			}
			if err != nil {
				return err
			}
		}
		at += codes.Size(entry.Rows, c.stride)
	}
	return nil
}

// UseCodes adds the groups of a file that keep says, by their number among its entries, and
// whose codes are read from there whenever they are needed: the file has to stay open for
// as long as the index and its views are used. The index must be empty, and have
// Options.Values, by which codes that cannot be read are made anew.
func (x *Index) UseCodes(from *Codes, keep func(number int) bool) error {
	if x.content.entries > 0 || x.options.Values == nil || from.stride != x.stride {
		return fmt.Errorf("%w: saved codes are for an empty index that keeps no vectors", ErrVectors)
	}
	current, at := (*chunk)(nil), codes.First()
	for number, saved := range from.entries {
		if current == nil || current.saved.rows+saved.Rows > x.chunkRows {
			current = &chunk{first: number, saved: &savedChunk{file: from.file, at: at}}
			x.content.sealed = append(x.content.sealed, current)
		}
		current.hold(saved.Group)
		current.entries = append(current.entries, entry{group: saved.Group, row: uint32(current.saved.rows), sum: saved.Sum})
		current.saved.rows += saved.Rows
		at += codes.Size(saved.Rows, x.stride)
		if _, twice := x.numbers.Get(saved.Group); !twice && saved.Rows > 0 && keep(number) {
			x.numbers.Set(saved.Group, number)
		} else {
			x.content.removed = x.content.removed.With(number)
		}
		x.content.rows += saved.Rows
	}
	x.content.entries = len(from.entries)
	x.content.last = chunk{first: x.content.entries}
	return nil
}
