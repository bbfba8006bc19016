package filters

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"mekiki/index"
	"mekiki/index/keyword"
)

// written is what is looked for among the words in pictures: parts with spaces between them, folded.
type written []string

// newWritten folds a text; empty when it has no letters, digits or symbols.
func newWritten(text string) written {
	var parts written
	for _, part := range strings.Fields(text) {
		if folded := appendWritten(nil, part); len(folded) > 0 {
			parts = append(parts, string(folded))
		}
	}
	return parts
}

// appendWritten appends a text in the form in which it is looked for: letters, digits and symbols such as €, without case
// and accents. Spaces, hyphens and other marks are left out, since number plates and serials are written with and without.
func appendWritten(to []byte, text string) []byte {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return appendFolded(to, keyword.Fold(text))
		}
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'A' && c <= 'Z':
			to = append(to, c+('a'-'A'))
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '$':
			to = append(to, c)
		}
	}
	return to
}

func appendFolded(to []byte, folded string) []byte {
	for _, r := range folded {
		if unicode.In(r, unicode.Letter, unicode.Number, unicode.Mark, unicode.Sc, unicode.So) {
			to = utf8.AppendRune(to, r)
		}
	}
	return to
}

// find gives where lines, each folded and with \n behind it, have the parts one after the other for the first time, and how
// many bytes long that is; -1 for nowhere. A line may end where a space is looked for. No picture says what has no letters.
func (w written) find(lines []byte) (from, length int) {
	for skipped := 0; len(w) > 0; {
		at := bytes.Index(lines[skipped:], []byte(w[0]))
		if at < 0 {
			break
		}
		at += skipped
		if length, follows := w.follow(lines[at:]); follows {
			return at, length
		}
		_, size := utf8.DecodeRune(lines[at:])
		skipped = at + size
	}
	return -1, 0
}

// follow reports whether the text, which begins with the first part, goes on with the others, and how long all is.
func (w written) follow(text []byte) (length int, follows bool) {
	length = len(w[0])
	for _, part := range w[1:] {
		if length < len(text) && text[length] == '\n' {
			length++
		}
		if !bytes.HasPrefix(text[length:], []byte(part)) {
			return 0, false
		}
		length += len(part)
	}
	return length, true
}

// MatchesOCR reports whether the words in the picture have one of the texts.
func (m *Matcher) MatchesOCR(r *index.Record) bool {
	if len(m.OCR) == 0 {
		return true
	}
	if r.OCR == nil || len(r.OCR.Lines) == 0 {
		return false
	}
	m.lines = m.lines[:0]
	for _, line := range r.OCR.Lines {
		before := len(m.lines)
		if m.lines = appendWritten(m.lines, line.Text); len(m.lines) > before {
			m.lines = append(m.lines, '\n')
		}
	}
	for _, one := range m.OCR {
		if at, _ := one.find(m.lines); at >= 0 {
			return true
		}
	}
	return false
}

func setOCR(f *index.Filter, value string, _ Reading) error {
	if len(newWritten(value)) == 0 {
		return &ValueError{Problem: "text: looks for letters or digits", Remedy: `write some of what the picture says, as in text:"platform 9" or text:7731`}
	}
	f.OCR = append(f.OCR, value)
	return nil
}

func compileOCR(m *Matcher, f index.Filter) func(*index.Record) bool {
	for _, value := range f.OCR {
		m.OCR = append(m.OCR, newWritten(value))
	}
	return when(len(m.OCR) > 0, m.MatchesOCR)
}

// origin is where a byte of folded lines comes from: so many code points of a line, a letter and the marks on it.
type origin struct{ line, character, length int }

// OCRPlaces gives where the lines of words in a picture have some texts, as the filter finds them: for each line the places,
// in order and without overlap, none for most. A text is marked where it stands first after the one before.
func OCRPlaces(read *index.OCR, texts []string) [][]keyword.Place {
	if read == nil || len(texts) == 0 {
		return nil
	}
	var folded []byte
	var origins []origin
	for number, line := range read.Lines {
		before, character := len(folded), 0
		for at := 0; at < len(line.Text); {
			next := nextCharacter(line.Text, at)
			length := utf8.RuneCountInString(line.Text[at:next])
			folded = appendWritten(folded, line.Text[at:next])
			for len(origins) < len(folded) {
				origins = append(origins, origin{number, character, length})
			}
			at, character = next, character+length
		}
		if len(folded) > before {
			folded, origins = append(folded, '\n'), append(origins, origin{})
		}
	}
	marked := make([]map[int]bool, len(read.Lines))
	for _, text := range texts {
		markAll(newWritten(text), folded, origins, marked)
	}
	return placesOf(marked)
}

// nextCharacter is where the character behind the one at a byte begins, with the marks on that.
func nextCharacter(text string, at int) int {
	_, size := utf8.DecodeRuneInString(text[at:])
	for at += size; at < len(text); at += size {
		var r rune
		if r, size = utf8.DecodeRuneInString(text[at:]); !unicode.IsMark(r) {
			break
		}
	}
	return at
}

// markAll marks the characters of each occurrence.
func markAll(w written, folded []byte, origins []origin, marked []map[int]bool) {
	for at := 0; ; {
		from, length := w.find(folded[at:])
		if from < 0 {
			return
		}
		for i := at + from; i < at+from+length; i++ {
			if folded[i] == '\n' {
				continue
			}
			from := origins[i]
			if marked[from.line] == nil {
				marked[from.line] = map[int]bool{}
			}
			for character := range from.length {
				marked[from.line][from.character+character] = true
			}
		}
		at += from + length
	}
}

// placesOf joins neighbouring characters.
func placesOf(marked []map[int]bool) [][]keyword.Place {
	places := make([][]keyword.Place, len(marked))
	for line, characters := range marked {
		for _, at := range slices.Sorted(maps.Keys(characters)) {
			if last := len(places[line]) - 1; last >= 0 && places[line][last].Offset+places[line][last].Length == at {
				places[line][last].Length++
				continue
			}
			places[line] = append(places[line], keyword.Place{Offset: at, Length: 1})
		}
	}
	return places
}
