package wordpiece

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// unread reports whether the pieces of a text say nothing to the model: the
// vocabulary, and so what the model was trained on, has none of the text's words
// and pieces. Single letters of scripts without words of their own are in it too,
// and count for nothing. A text without letters is not unread.
func (t *Tokenizer) unread(ids []int64) bool {
	unread := false
	for _, id := range ids {
		if id == int64(t.special.unknown) {
			unread = true
			continue
		}
		if t.special.has(id) {
			continue
		}
		piece := strings.TrimPrefix(t.token(id), "##")
		letter, size := utf8.DecodeRuneInString(piece)
		switch {
		case size < len(piece), unicode.Is(unicode.Latin, letter), unicode.IsNumber(letter):
			return false
		case unicode.IsLetter(letter), unicode.IsMark(letter):
			unread = true
		}
	}
	return unread
}
