package keyword

import (
	"slices"
	"unicode/utf8"
)

// Place is where a word stands in a text, in Unicode code points from its beginning.
type Place struct{ Offset, Length int }

// Places gives where words of some terms, as [Terms] gives them, stand in a text, in order. Of a compound such as
// "RedGate" it is the part that has the term, of a run of Chinese, Japanese or Korean the characters; places do not overlap.
func Places(text string, terms map[string]bool) []Place {
	var places []Place
	runes := []rune(text)
	for start := 0; start < len(runes); {
		if !inWord(runes[start]) {
			start++
			continue
		}
		end := start + 1
		for end < len(runes) && inWord(runes[end]) && !splitsBefore(runes, end) {
			end++
		}
		places = appendPlaces(places, string(runes[start:end]), start, terms)
		start = end
	}
	return JoinPlaces(places)
}

// appendPlaces adds those in one word, which begins at a code point of the text.
func appendPlaces(places []Place, word string, at int, terms map[string]bool) []Place {
	a := analyser()
	if a == nil {
		return places
	}
	for _, token := range a.Analyze([]byte(word)) {
		if !terms[string(token.Term)] {
			continue
		}
		from, to := token.Start, token.End
		if from < 0 || to > len(word) || from >= to || !onRune(word, from) || !onRune(word, to) {
			from, to = 0, len(word)
		}
		places = append(places, Place{at + utf8.RuneCountInString(word[:from]), utf8.RuneCountInString(word[from:to])})
	}
	return places
}

// JoinPlaces sorts places, and joins those that overlap. It changes the list.
func JoinPlaces(places []Place) []Place {
	slices.SortFunc(places, func(a, b Place) int { return a.Offset - b.Offset })
	joined := places[:0]
	for _, place := range places {
		if last := len(joined) - 1; last >= 0 && place.Offset < joined[last].Offset+joined[last].Length {
			joined[last].Length = max(joined[last].Length, place.Offset+place.Length-joined[last].Offset)
			continue
		}
		joined = append(joined, place)
	}
	return joined
}
