package suggest

import (
	"context"
	"slices"

	"mekiki/index/keyword"
)

// spelling is the words of a library, by length in letters.
type spelling struct {
	byLength map[int][]spelt
	known    map[string]bool // words as they are folded, and their terms without endings
}

type spelt struct {
	letters []rune
	text    string
	count   int
}

// newSpelling takes lists of words.
func newSpelling(lists ...map[string]*entry) spelling {
	s := spelling{byLength: map[int][]spelt{}, known: map[string]bool{}}
	for _, list := range lists {
		for _, word := range sorted(list) {
			if s.known[word.folded] {
				continue
			}
			s.known[word.folded] = true
			for _, term := range keyword.Terms(word.text) {
				s.known[term] = true
			}
			letters := []rune(word.folded)
			if len(letters) >= leastOneWrong-1 && len(letters) <= longestLookup {
				s.byLength[len(letters)] = append(s.byLength[len(letters)], spelt{letters, word.folded, word.count})
			}
		}
	}
	return s
}

// Spellings gives, for each of some words, the one that captions, titles and names have in place of it: one that differs by a
// letter or two (swapped neighbours are one), wherever they stand. There are none for a word that they have.
func (s *Vocabulary) Spellings(_ context.Context, words []string) ([][]string, error) {
	found := make([][]string, len(words))
	for i, word := range words {
		if better := s.spelling.nearest(word); better != "" {
			found[i] = []string{better}
		}
	}
	return found, nil
}

// nearest gives the word that a word was meant to be; "" where the library has it, or nothing near.
func (s spelling) nearest(word string) string {
	folded := keyword.Fold(word)
	letters := []rune(folded)
	wrong := 0
	switch count := len(letters); {
	case count >= leastTwoWrong:
		wrong = 2
	case count >= leastOneWrong:
		wrong = 1
	}
	if wrong == 0 || len(letters) > longestLookup || s.has(word, folded) {
		return ""
	}
	best, distance := spelt{}, wrong+1
	for length := len(letters) - wrong; length <= len(letters)+wrong; length++ {
		for _, known := range s.byLength[length] {
			d := editDistance(letters, known.letters, min(distance, wrong))
			if d < distance || d == distance && d <= wrong && nearer(known, best, length == len(letters), len(best.letters) == len(letters)) {
				best, distance = known, d
			}
		}
	}
	if distance > wrong {
		return ""
	}
	return best.text
}

// nearer reports whether of two words that are equally far from what was typed the first is meant: one of the same
// length, or else the more frequent.
func nearer(a, b spelt, aAsLong, bAsLong bool) bool {
	if aAsLong != bAsLong {
		return aAsLong
	}
	return a.count > b.count
}

// has reports whether the library has a word, in this form or another one.
func (s spelling) has(word, folded string) bool {
	terms := keyword.Terms(word)
	return s.known[folded] || len(terms) == 0 || !slices.ContainsFunc(terms, func(term string) bool { return !s.known[term] })
}

// editDistance is how many letters have to be put in, taken out, exchanged or swapped with their neighbour to make one
// word of another (optimal string alignment); more than most where it is more.
func editDistance(a, b []rune, most int) int {
	leastBefore := 0
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next[0] = i + 1
		least := next[0]
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
			least = min(least, next[j+1])
		}
		if min(least, leastBefore) > most {
			return most + 1
		}
		leastBefore = least
		before, row, next = row, next, before
	}
	return row[len(b)]
}
