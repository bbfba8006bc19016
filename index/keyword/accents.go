package keyword

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// foldAccents takes the accents off Latin and Greek letters, and writes the letters
// of Latin alphabets that have none as people type them who lack the key. Marks of
// other scripts stay: they tell letters apart. The text is in lower case.
func foldAccents(text string) string {
	ascii := true
	for i := 0; i < len(text) && ascii; i++ {
		ascii = text[i] < 0x80
	}
	if ascii {
		return text
	}
	var out strings.Builder
	accented := false // the last letter is one whose marks are left out
	for _, r := range norm.NFD.String(text) {
		if unicode.Is(unicode.Mn, r) {
			if !accented {
				out.WriteRune(r)
			}
			continue
		}
		accented = unicode.In(r, unicode.Latin, unicode.Greek)
		if plain := plainLetter(r); plain != "" {
			out.WriteString(plain)
		} else {
			out.WriteRune(r)
		}
	}
	return norm.NFC.String(out.String())
}

// plainLetter gives what stands for a letter that is no accented one, or "".
func plainLetter(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'ø':
		return "o"
	case 'đ', 'ð':
		return "d"
	case 'ł':
		return "l"
	case 'þ':
		return "th"
	case 'ı':
		return "i"
	case 'ħ':
		return "h"
	case 'ŧ':
		return "t"
	case 'ς':
		return "σ"
	}
	return ""
}
