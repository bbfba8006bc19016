package checkpoint

import (
	"bytes"
	"testing"
	"testing/fstest"
)

// TestVocabularyOfThePublishedSize gives checkpoints without a vocabulary BERT's,
// where they have as many tokens.
func TestVocabularyOfThePublishedSize(t *testing.T) {
	empty := &source{folder: fstest.MapFS{}, lavis: true}
	for size, last := range map[int]string{bertTokens: "##～", bertTokens + 1: beginToken} {
		data, err := loadVocabulary(empty, "", size)
		if err != nil {
			t.Fatal(err)
		}
		lines := splitTokens(data)
		if len(lines) != size || lines[0] != "[PAD]" || lines[len(lines)-1] != last {
			t.Errorf("%d tokens, from %q to %q; want %d to %q", len(lines), lines[0], lines[len(lines)-1], size, last)
		}
	}
	if data, err := loadVocabulary(empty, "", 1000); err != nil || data != nil {
		t.Errorf("a vocabulary of %d bytes for a model of 1000 tokens, %v", len(data), err)
	}
	own := &source{folder: fstest.MapFS{vocabularyFile: {Data: []byte("a\nb\n")}}}
	if data, err := loadVocabulary(own, "", bertTokens); err != nil || !bytes.Equal(data, []byte("a\nb\n[DEC]\n")) {
		t.Errorf("the checkpoint's own vocabulary became %q, %v", data, err)
	}
}
