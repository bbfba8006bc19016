package wordpiece

import (
	"bytes"
	"compress/gzip"
	_ "embed" // bertVocabulary
	"fmt"
	"mekiki/internal/bounded"
)

// bertVocabulary is vocab.txt of bert-base-uncased, gzip-compressed
// (Apache-2.0; the BERT authors).
//
//go:embed bert.txt.gz
var bertVocabulary []byte

// BERTVocabulary returns the vocabulary of bert-base-uncased, which every
// published BLIP-2 uses: 30,522 tokens, to which New adds [DEC]. It is for
// checkpoints that come without a vocabulary, as LAVIS's do.
func BERTVocabulary() ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(bertVocabulary))
	if err != nil {
		return nil, fmt.Errorf("open the built-in vocabulary: %w", err)
	}
	vocabulary, err := bounded.Read(reader, maximumVocabularyBytes)
	if err != nil {
		return nil, fmt.Errorf("read the built-in vocabulary: %w", err)
	}
	return vocabulary, nil
}
