package language

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// nfc returns the canonical composition of a text. Package norm puts a joiner
// into runs of more than 30 combining marks, which the reference does not, so a
// text with a long run is composed here.
func nfc(text string) string {
	if !hasLongRun(text) {
		return norm.NFC.String(text)
	}
	var parts []mark
	var buffer []byte
	for at := 0; at < len(text); {
		_, size := utf8.DecodeRuneInString(text[at:])
		buffer = norm.NFD.AppendString(buffer[:0], text[at:at+size])
		for len(buffer) > 0 {
			r, width := utf8.DecodeRune(buffer)
			parts = append(parts, mark{r, norm.NFD.Properties(buffer).CCC()})
			buffer = buffer[width:]
		}
		at += size
	}
	order(parts)
	return compose(parts)
}

// longRun is a number of combining marks that package norm leaves alone even where
// each is decomposed into three.
const longRun = 9

// hasLongRun reports whether a text has more combining marks in a row than that.
func hasLongRun(text string) bool {
	run := 0
	for at := 0; at < len(text); {
		if text[at] < utf8.RuneSelf {
			run = 0
			at++
			continue
		}
		properties := norm.NFD.PropertiesString(text[at:])
		if run++; properties.CCC() == 0 {
			run = 0
		}
		if run > longRun {
			return true
		}
		at += max(properties.Size(), 1)
	}
	return false
}

// mark is a character of a decomposed text and its combining class.
type mark struct {
	character rune
	class     uint8
}

// order puts every run of combining marks into the order of their classes.
func order(parts []mark) {
	for at := 0; at < len(parts); at++ {
		end := at
		for end < len(parts) && parts[end].class != 0 {
			end++
		}
		slices.SortStableFunc(parts[at:end], func(a, b mark) int { return int(a.class) - int(b.class) })
		at = end
	}
}

// compose joins every character with the starter before it where they make one and
// nothing of the same class is between (The Unicode Standard, section 3.11).
func compose(parts []mark) string {
	starter, last := -1, -1
	kept := parts[:0]
	var buffer []byte
	for _, part := range parts {
		if starter >= 0 && last < int(part.class) {
			buffer = norm.NFC.AppendString(buffer[:0], string([]rune{kept[starter].character, part.character}))
			if r, size := utf8.DecodeRune(buffer); size == len(buffer) {
				kept[starter].character = r
				continue
			}
		}
		if part.class == 0 {
			starter, last = len(kept), -1
		} else {
			last = int(part.class)
		}
		kept = append(kept, part)
	}
	var text strings.Builder
	for _, part := range kept {
		text.WriteRune(part.character)
	}
	return text.String()
}
