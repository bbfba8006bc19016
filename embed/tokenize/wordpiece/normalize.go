package wordpiece

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// What becomes of an ASCII character; bytes above are decoded first.
const (
	asciiKeep = iota
	asciiLower
	asciiSpace
	asciiPunctuation
	asciiDrop
)

// appendWords appends the words of a text to dst, normalised and each followed
// by a space, and returns the extended slice. A punctuation mark and a Chinese
// character are words of their own. It does what transformers' BertNormalizer
// and BertPreTokenizer do, one after the other, in one pass: remove control
// characters, set Chinese characters apart, decompose and remove accents, fold
// case, split at white space and punctuation.
func appendWords(dst []byte, text string) []byte {
	marks := 0 // bytes of combining marks at the end of dst
	for i := 0; i < len(text); {
		b := text[i]
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			dst, marks = appendRune(dst, r, marks)
			i += size
			continue
		}
		i++
		switch asciiClass(b) {
		case asciiDrop:
			continue
		case asciiKeep:
			dst = append(dst, b)
		case asciiLower:
			dst = append(dst, b+'a'-'A')
		case asciiSpace:
			dst = endWord(dst)
		case asciiPunctuation:
			dst = append(endWord(dst), b, ' ')
		}
		marks = 0
	}
	return endWord(dst)
}

// asciiClass says what becomes of an ASCII character.
func asciiClass(b byte) int {
	switch {
	case b >= 'a' && b <= 'z', b >= '0' && b <= '9':
		return asciiKeep
	case b >= 'A' && b <= 'Z':
		return asciiLower
	case b == ' ', b == '\t', b == '\n', b == '\r':
		return asciiSpace
	case b < ' ', b == 0x7F:
		return asciiDrop
	}
	return asciiPunctuation
}

// endWord ends the word at the end of dst, if there is one.
func endWord(dst []byte) []byte {
	if len(dst) == 0 || dst[len(dst)-1] == ' ' {
		return dst
	}
	return append(dst, ' ')
}

// appendRune appends what becomes of a rune above ASCII. The last marks bytes
// of dst are combining marks whose order may still change; it returns how many
// there are now.
func appendRune(dst []byte, r rune, marks int) ([]byte, int) {
	switch {
	case r == utf8.RuneError, unicode.Is(removedTable, r):
		return dst, marks
	case unicode.Is(unicode.White_Space, r):
		return endWord(dst), 0
	case unicode.Is(chineseTable, r):
		dst, _ = appendDecomposed(endWord(dst), r, 0)
		return endWord(dst), 0
	}
	return appendDecomposed(dst, r, marks)
}

// appendDecomposed appends the canonical decomposition of r without accents
// and in lower case.
func appendDecomposed(dst []byte, r rune, marks int) ([]byte, int) {
	if lead, vowel, tail := decomposeHangul(r); lead != 0 {
		dst = utf8.AppendRune(utf8.AppendRune(dst, lead), vowel)
		if tail != 0 {
			dst = utf8.AppendRune(dst, tail)
		}
		return dst, 0
	}
	var buffer [utf8.UTFMax]byte
	source := buffer[:utf8.EncodeRune(buffer[:], r)]
	properties := norm.NFD.Properties(source)
	decomposition := properties.Decomposition()
	if decomposition == nil || unicode.Is(undecomposedTable, r) {
		return appendFolded(dst, r, properties.CCC(), marks)
	}
	for len(decomposition) > 0 {
		part, size := utf8.DecodeRune(decomposition)
		class := norm.NFD.Properties(decomposition[:size]).CCC()
		dst, marks = appendFolded(dst, part, class, marks)
		decomposition = decomposition[size:]
	}
	return dst, marks
}

// appendFolded appends a fully decomposed rune with the given combining class,
// unless it is an accent.
func appendFolded(dst []byte, r rune, class uint8, marks int) ([]byte, int) {
	if class == 0 {
		marks = 0
	}
	if unicode.Is(accentTable, r) {
		return dst, marks
	}
	r = unicode.ToLower(r)
	switch {
	case isPunctuation(r):
		return append(utf8.AppendRune(endWord(dst), r), ' '), 0
	case class == 0:
		return utf8.AppendRune(dst, r), 0
	}
	return insertMark(dst, r, class, marks)
}

// insertMark appends a combining mark, before those of the marks at the end of
// dst that have a higher combining class, as canonical ordering asks.
func insertMark(dst []byte, r rune, class uint8, marks int) ([]byte, int) {
	end := len(dst)
	at := end
	for at > end-marks {
		last, size := utf8.DecodeLastRune(dst[:at])
		var buffer [utf8.UTFMax]byte
		if norm.NFD.Properties(buffer[:utf8.EncodeRune(buffer[:], last)]).CCC() <= class {
			break
		}
		at -= size
	}
	dst = utf8.AppendRune(dst, r)
	size := len(dst) - end
	if at < end {
		var mark [utf8.UTFMax]byte
		copy(mark[:], dst[end:])
		copy(dst[at+size:], dst[at:end])
		copy(dst[at:], mark[:size])
	}
	return dst, marks + size
}

// decomposeHangul returns the two or three letters of a Hangul syllable, or
// zeros (The Unicode Standard, section 3.12).
func decomposeHangul(r rune) (lead, vowel, tail rune) {
	const (
		firstSyllable = 0xAC00
		syllables     = 11172
		firstLead     = 0x1100
		firstVowel    = 0x1161
		beforeTail    = 0x11A7
		vowels        = 21
		tails         = 28
	)
	index := r - firstSyllable
	if index < 0 || index >= syllables {
		return 0, 0, 0
	}
	if index%tails != 0 {
		tail = beforeTail + index%tails
	}
	return firstLead + index/(vowels*tails), firstVowel + index%(vowels*tails)/tails, tail
}

// isPunctuation reports whether r is a word of its own: all ASCII symbols, and
// what Unicode calls punctuation.
func isPunctuation(r rune) bool { return unicode.Is(punctuationTable, r) }
