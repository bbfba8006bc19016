package wordpiece

import (
	"bytes"
	"unicode/utf8"
)

// appendPlain appends the token ids of a text without special tokens.
func (t *Tokenizer) appendPlain(dst []int64, text string) []int64 {
	var buffer [512]byte
	words := appendWords(buffer[:0], text)
	for len(words) > 0 {
		end := bytes.IndexByte(words, ' ')
		dst = t.appendWord(dst, words[:end])
		words = words[end+1:]
	}
	return dst
}

// appendWord appends the pieces of one normalised word: from the left, always
// the longest that the vocabulary has. A word that cannot be cut so, or that
// is longer than maximumWordLength, is one [UNK].
func (t *Tokenizer) appendWord(dst []int64, word []byte) []int64 {
	if len(word) > maximumWordLength && utf8.RuneCount(word) > maximumWordLength {
		return append(dst, int64(t.special.unknown))
	}
	first := len(dst)
	for pieces := &t.initial; len(word) > 0; pieces = &t.inner {
		length, id := pieces.longest(word)
		if length == 0 {
			return append(dst[:first], int64(t.special.unknown))
		}
		dst = append(dst, int64(id))
		word = word[length:]
	}
	return dst
}
