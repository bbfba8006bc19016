package embed

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"mekiki/embed/checkpoint/weights"
)

// embeddingTable reads rows of a language model's token embedding, which stays on disk: a text needs few of them, and the
// system keeps those in memory that are read often.
type embeddingTable struct {
	file        *os.File
	rows, width int
	bytes       int // of one value: 2 or 4
}

// newEmbeddingTable checks the size of a file [rows width] of float16 or float32, little-endian.
func newEmbeddingTable(file *os.File, rows, width int) (*embeddingTable, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	values := int64(rows) * int64(width)
	for _, bytes := range []int64{2, 4} {
		if values > 0 && info.Size() == bytes*values {
			return &embeddingTable{file, rows, width, int(bytes)}, nil
		}
	}
	return nil, fmt.Errorf("%s has %d bytes, which is no table of %dx%d", file.Name(), info.Size(), rows, width)
}

// Close closes the file.
func (t *embeddingTable) Close() error { return t.file.Close() }

// read writes the rows of ids into values, one after the other.
func (t *embeddingTable) read(values []float32, ids []int64) error {
	buffer := make([]byte, t.bytes*t.width)
	for i, id := range ids {
		if id < 0 || id >= int64(t.rows) {
			return fmt.Errorf("token %d is not one of %d", id, t.rows)
		}
		if _, err := t.file.ReadAt(buffer, id*int64(len(buffer))); err != nil && err != io.EOF {
			return fmt.Errorf("read token embedding: %w", err)
		}
		row := values[i*t.width : (i+1)*t.width]
		if t.bytes == 4 {
			for j := range row {
				row[j] = math.Float32frombits(binary.LittleEndian.Uint32(buffer[4*j:]))
			}
			continue
		}
		for j := range row {
			row[j] = weights.HalfToFloat(binary.LittleEndian.Uint16(buffer[2*j:]))
		}
	}
	return nil
}
