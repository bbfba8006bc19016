package wordpiece

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// scratch is the working memory of one call.
type scratch struct{ word []byte }

func newScratch() *scratch  { return &scratch{word: make([]byte, 0, 128)} }
func (s *scratch) release() {}

var _ = sync.Pool{}

// appendPlain appends the tokens of a text without special tokens.
func (t *Tokenizer) appendPlain(dst []int64, text string, s *scratch) []int64 {
	var clean strings.Builder
	for _, r := range text {
		switch {
		case isWhitespace(r):
			clean.WriteByte(' ')
		case r == 0 || r == utf8.RuneError || isControl(r):
		case isChinese(r):
			clean.WriteByte(' ')
			clean.WriteRune(r)
			clean.WriteByte(' ')
		default:
			clean.WriteRune(r)
		}
	}
	for _, r := range norm.NFD.String(clean.String()) {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		r = unicode.ToLower(r)
		switch {
		case unicode.IsSpace(r):
			dst = t.flush(dst, s)
		case isPunctuation(r):
			dst = t.flush(dst, s)
			s.word = utf8.AppendRune(s.word, r)
			dst = t.flush(dst, s)
		default:
			s.word = utf8.AppendRune(s.word, r)
		}
	}
	return t.flush(dst, s)
}

// flush appends the pieces of the word in s and empties it.
func (t *Tokenizer) flush(dst []int64, s *scratch) []int64 {
	dst = t.appendWord(dst, s.word)
	s.word = s.word[:0]
	return dst
}

// appendWord appends the pieces of one normalised word.
func (t *Tokenizer) appendWord(dst []int64, word []byte) []int64 {
	if len(word) == 0 {
		return dst
	}
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

func isWhitespace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || unicode.Is(unicode.Zs, r)
}

func isControl(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co)
}

func isPunctuation(r rune) bool {
	return r >= 33 && r <= 47 || r >= 58 && r <= 64 || r >= 91 && r <= 96 || r >= 123 && r <= 126 ||
		r > 127 && unicode.IsPunct(r)
}

// isChinese reports whether r is in one of the blocks that BERT treats as
// Chinese characters.
func isChinese(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF ||
		r >= 0x20000 && r <= 0x2A6DF || r >= 0x2A700 && r <= 0x2B73F ||
		r >= 0x2B740 && r <= 0x2B81F || r >= 0x2B820 && r <= 0x2CEAF ||
		r >= 0xF900 && r <= 0xFAFF || r >= 0x2F800 && r <= 0x2FA1F
}

func lower(text string) string { return strings.ToLower(text) }

func collapseSpaces(text string) string {
	var out strings.Builder
	run := 0
	var last rune
	flush := func() {
		switch {
		case run == 1:
			out.WriteRune(last)
		case run > 1:
			out.WriteByte(' ')
		}
		run = 0
	}
	for _, r := range text {
		if unicode.IsSpace(r) {
			run, last = run+1, r
			continue
		}
		flush()
		out.WriteRune(r)
	}
	flush()
	return out.String()
}
