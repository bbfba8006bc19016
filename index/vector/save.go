package vector

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"mekiki/index/vector/codes"
)

// ErrSaved is wrapped by errors about what Load reads: it is damaged, or not of this
// version. What was saved can be deleted; it is made again.
var ErrSaved = errors.New("unusable saved graph or inverted lists")

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
	data, err := io.ReadAll(r)
	if err != nil {
		return Loaded{}, fmt.Errorf("load inverted lists: %w", err)
	}
	loaded, _, err := x.LoadFile(bytes.NewReader(data), int64(len(data)))
	return loaded, err
}

// readSavedHeader reads what a saved index begins with: eight bytes that say what it is, the width of its vectors, how many
// lists or nodes follow, and the CRC-32C of these.
func readSavedHeader(reader io.Reader, magic string, width int) (count uint32, err error) {
	header := make([]byte, 20)
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

// readFull reads a whole buffer.
func readFull(r io.Reader, buffer []byte) error {
	_, err := io.ReadFull(r, buffer)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: cut short", ErrSaved)
	}
	return err
}
