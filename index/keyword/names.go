package keyword

import (
	"path"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold gives the form in which names, tags, formats and cameras are compared:
// composed, without case, and Latin and Greek letters without their accents.
func Fold(text string) string {
	return foldAccents(strings.ToLower(norm.NFKC.String(strings.TrimSpace(text))))
}

// Beginnings gives a folded text as it is from each of its words on: of "Italy 2019"
// these are "italy 2019" and "2019". What is looked for by its first letters is looked
// for among these.
func Beginnings(text string) []string {
	folded := Fold(text)
	beginnings := []string{folded}
	open := true
	for i, r := range folded {
		if inWord(r) && !open && i > 0 {
			beginnings = append(beginnings, folded[i:])
		}
		open = inWord(r) || i == 0
	}
	return beginnings
}

// FoldAll folds each text.
func FoldAll(texts []string) []string {
	folded := make([]string, len(texts))
	for i, text := range texts {
		folded[i] = Fold(text)
	}
	return folded
}

// splitName makes words of a path's last two elements: "Kyoto2024/IMG_0042RedGate.jpg"
// becomes "Kyoto 2024 IMG 0042 Red Gate jpg". It splits where letters meet
// digits, where a small letter meets a capital one, before the last of several
// capitals that a small letter follows, and at anything else.
func splitName(name string) string {
	name = strings.ReplaceAll(norm.NFC.String(name), `\`, "/")
	folder, file := path.Split(path.Clean(name))
	return splitWords(path.Base(folder) + "/" + file)
}

// splitWords is splitName for any text.
func splitWords(text string) string {
	runes := []rune(text)
	var out strings.Builder
	wordEnded := true
	for i, current := range runes {
		if !inWord(current) {
			wordEnded = true
			continue
		}
		if !wordEnded && splitsBefore(runes, i) {
			wordEnded = true
		}
		if wordEnded && out.Len() > 0 {
			out.WriteByte(' ')
		}
		wordEnded = false
		out.WriteRune(current)
	}
	return out.String()
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

func splitsBefore(runes []rune, i int) bool {
	previous, current := runes[i-1], runes[i]
	switch {
	case unicode.IsMark(current):
		return false
	case unicode.IsDigit(previous) != unicode.IsDigit(current):
		return true
	case unicode.IsLower(previous) && unicode.IsUpper(current):
		return true
	case unicode.IsUpper(previous) && unicode.IsUpper(current):
		return i+1 < len(runes) && unicode.IsLower(runes[i+1])
	}
	return false
}
