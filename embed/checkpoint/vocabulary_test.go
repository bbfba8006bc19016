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
		data, _, err := loadVocabulary(empty, "", size)
		if err != nil {
			t.Fatal(err)
		}
		lines := splitTokens(data)
		if len(lines) != size || lines[0] != "[PAD]" || lines[len(lines)-1] != last {
			t.Errorf("%d tokens, from %q to %q; want %d to %q", len(lines), lines[0], lines[len(lines)-1], size, last)
		}
	}
	if data, _, err := loadVocabulary(empty, "", 1000); err != nil || data != nil {
		t.Errorf("a vocabulary of %d bytes for a model of 1000 tokens, %v", len(data), err)
	}
	own := &source{folder: fstest.MapFS{vocabularyFile: {Data: []byte("a\nb\n")}}}
	if data, _, err := loadVocabulary(own, "", 3); err != nil || !bytes.Equal(data, []byte("a\nb\n[DEC]\n")) {
		t.Errorf("the checkpoint's own vocabulary became %q, %v", data, err)
	}
}

// TestVocabularyBesideTheEmbedding drops added tokens that have no row, as the processor of transformers adds "<image>",
// allows rows without tokens, as padding leaves them, and refuses another model's vocabulary.
func TestVocabularyBesideTheEmbedding(t *testing.T) {
	tokenizer := `{"model":{"type":"WordPiece","vocab":{"a":0,"b":1,"c":2}},
		"added_tokens":[{"id":0,"content":"a"},{"id":3,"content":"[DEC]"},{"id":4,"content":"<image>"}]}`
	vocabulary := fstest.MapFS{vocabularyFile: {Data: []byte("a\nb\nc\n")}, addedFile: {Data: []byte(`{"[DEC]":3,"<image>":4}`)}}
	for name, test := range map[string]struct {
		folder  fstest.MapFS
		size    int
		want    string
		dropped int
	}{
		"tokenizer.json":          {fstest.MapFS{tokenizerFile: {Data: []byte(tokenizer)}}, 4, "a\nb\nc\n[DEC]\n", 1},
		"added_tokens.json":       {vocabulary, 4, "a\nb\nc\n[DEC]\n", 1},
		"a row for <image>":       {vocabulary, 5, "a\nb\nc\n[DEC]\n<image>\n", 0},
		"padded":                  {vocabulary, 8, "a\nb\nc\n[DEC]\n<image>\n", 0},
		"no row for [DEC]":        {vocabulary, 3, "a\nb\nc\n", 2},
		"too many of its own":     {vocabulary, 2, "", 0},
		"another model's":         {vocabulary, bertTokens + 1, "", 0},
		"tokenizer of few tokens": {fstest.MapFS{tokenizerFile: {Data: []byte(tokenizer)}}, bertTokens, "", 0},
	} {
		data, dropped, err := loadVocabulary(&source{folder: test.folder}, "", test.size)
		if string(data) != test.want || (err == nil) != (test.want != "") || len(dropped) != test.dropped {
			t.Errorf("%s: %q without %q, %v; want %q", name, data, dropped, err, test.want)
		}
	}
}
