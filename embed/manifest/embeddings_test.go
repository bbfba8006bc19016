package manifest_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
)

// TestEmbeddingsOfAFileThatShrank: a row that is not there any more is an error, and not the row before it.
func TestEmbeddingsOfAFileThatShrank(t *testing.T) {
	config := modelconfig.Language{VocabularySize: 3, HiddenSize: 4}
	for size := range 3 {
		file := bytes.NewReader(make([]byte, 8*2+4*size)) // of the last row nothing, half, all
		embeddings, err := manifest.NewEmbeddings(config, file, 24)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := embeddings.Append(nil, 1, 2)
		if whole := size == 2; whole != (err == nil) || whole && len(rows) != 8 || !whole && !errors.Is(err, io.EOF) {
			t.Errorf("%d bytes: %d values, %v", file.Size(), len(rows), err)
		}
	}
}
