package keyword

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis"
)

// analyser is the analyser of the word fields, as the mapping defines it. It is nil
// where the mapping is broken, and then no index opens either.
var analyser = sync.OnceValue(func() analysis.Analyzer {
	m, err := newMapping()
	if err != nil {
		return nil
	}
	return m.AnalyzerNamed(wordsAnalyzer)
})

// Terms gives the terms of a text, in order and with repetitions: its words in lower
// case, without accents, English stop words and endings, and with compounds such as
// "IMG_2041RedGate" cut as [SplitName] cuts them. Chinese, Japanese and Korean become
// single characters and pairs. Whatever compares words outside this index compares
// these, so that names, captions and queries agree with what the index finds.
func Terms(text string) []string {
	return termsOf(splitWords(withoutPossessives(text)))
}

func termsOf(words string) []string {
	a := analyser()
	if a == nil || words == "" {
		return nil
	}
	tokens := a.Analyze([]byte(words))
	terms := make([]string, len(tokens))
	for i, token := range tokens {
		terms[i] = string(token.Term)
	}
	return terms
}

// withoutPossessives takes the English 's off words, before the apostrophe parts it
// from them.
func withoutPossessives(text string) string {
	if !strings.ContainsAny(text, "'’＇") {
		return text
	}
	for _, apostrophe := range []string{"'", "’", "＇"} {
		for _, s := range []string{"s", "S"} {
			text = cutEnding(text, apostrophe+s)
		}
	}
	return text
}

// cutEnding removes an ending wherever a word is over after it.
func cutEnding(text, ending string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, ending)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		if next, _ := utf8.DecodeRuneInString(after); after != "" && inWord(next) {
			out.WriteString(ending)
		}
		text = after
	}
}

// Finder finds which of some terms stand in texts, as [Terms] gives them. It remembers
// the words that it has met, since a query meets the same ones in a thousand records,
// and it passes over words that begin like none of its terms: no ending that is taken
// off reaches a word's first letter. It is for one goroutine at a time.
type Finder struct {
	places map[string]int // of the terms
	begins [utf8.RuneSelf]bool
	met    map[string]int // the place of a word's term, or -1
}

// NewFinder makes a Finder of terms, each of which is found by its place in the list.
func NewFinder(terms []string) *Finder {
	f := &Finder{places: make(map[string]int, len(terms)), met: map[string]int{}}
	for place, term := range terms {
		f.places[term] = place
		if term != "" && term[0] < utf8.RuneSelf {
			f.begins[term[0]] = true
		}
	}
	return f
}

// Find calls found with the place of every term that stands in text.
func (f *Finder) Find(text string, found func(place int)) {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf || text[i] == '\'' {
			f.findAll(Terms(text), found)
			return
		}
	}
	for start := 0; start < len(text); {
		if !isWordByte(text[start]) {
			start++
			continue
		}
		end := start + 1
		for end < len(text) && isWordByte(text[end]) && !splitsBytesBefore(text, end) {
			end++
		}
		if f.begins[lowerByte(text[start])] {
			if place := f.placeOf(text[start:end]); place >= 0 {
				found(place)
			}
		}
		start = end
	}
}

func (f *Finder) findAll(terms []string, found func(place int)) {
	for _, term := range terms {
		if place, ok := f.places[term]; ok {
			found(place)
		}
	}
}

// placeOf is the place of the term of an uncut ASCII word, or -1.
func (f *Finder) placeOf(word string) int {
	if place, ok := f.met[word]; ok {
		return place
	}
	place := -1
	f.findAll(termsOf(word), func(found int) { place = found })
	f.met[strings.Clone(word)] = place
	return place
}

func isWordByte(b byte) bool { return isDigitByte(b) || isLowerByte(lowerByte(b)) }

func isDigitByte(b byte) bool { return '0' <= b && b <= '9' }

func isLowerByte(b byte) bool { return 'a' <= b && b <= 'z' }

func lowerByte(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// splitsBytesBefore is splitsBefore for two word bytes of ASCII.
func splitsBytesBefore(text string, i int) bool {
	previous, current := text[i-1], text[i]
	switch {
	case isDigitByte(previous) != isDigitByte(current):
		return true
	case isDigitByte(current) || isLowerByte(current):
		return false
	case isLowerByte(previous):
		return true
	}
	return i+1 < len(text) && isLowerByte(text[i+1])
}
