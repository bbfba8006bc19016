package manifest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"mekiki/embed/checkpoint/weights"
	"mekiki/embed/modelconfig"
)

// Embeddings reads rows of [EmbeddingsFile], which stays on disk: a text needs few of them, and the system keeps those in
// memory that are read often. Its methods may be called concurrently, as those of its file may.
type Embeddings struct {
	file        io.ReaderAt
	rows, width int
	bytes       int // of one value: 2 or 4
}

// NewEmbeddings reads the token embedding of a language model from a file of this size, which the caller closes.
func NewEmbeddings(config modelconfig.Language, file io.ReaderAt, size int64) (*Embeddings, error) {
	count := int64(config.VocabularySize) * int64(config.HiddenSize)
	if count <= 0 || size != 2*count && size != 4*count {
		return nil, fmt.Errorf("token embedding of %d bytes is none of %d rows of %d values", size, config.VocabularySize, config.HiddenSize)
	}
	return &Embeddings{file, config.VocabularySize, config.HiddenSize, int(size / count)}, nil
}

// OpenEmbeddings reads the token embedding of the model in folder dir. The caller closes the file when done with it.
func OpenEmbeddings(config modelconfig.Language, dir string) (_ *Embeddings, _ io.Closer, err error) {
	file, err := os.Open(filepath.Join(dir, EmbeddingsFile))
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	table, err := NewEmbeddings(config, file, info.Size())
	return table, file, err
}

// Append appends the rows of tokens to values, one after the other.
func (e *Embeddings) Append(values []float32, tokens ...int64) ([]float32, error) {
	buffer := make([]byte, e.bytes*e.width)
	for _, token := range tokens {
		if token < 0 || token >= int64(e.rows) {
			return nil, fmt.Errorf("token %d is not one of %d", token, e.rows)
		}
		if read, err := e.file.ReadAt(buffer, token*int64(len(buffer))); read < len(buffer) { // at its end a file may give all, and EOF
			return nil, fmt.Errorf("read token embedding: %w", err)
		}
		for at := 0; at < len(buffer); at += e.bytes {
			if e.bytes == 4 {
				values = append(values, math.Float32frombits(binary.LittleEndian.Uint32(buffer[at:])))
			} else {
				values = append(values, weights.HalfToFloat(binary.LittleEndian.Uint16(buffer[at:])))
			}
		}
	}
	return values, nil
}
