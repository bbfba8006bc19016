package search

import (
	"unicode/utf8"

	"mekiki/index"
)

// wordFinder finds which words of some clauses stand in texts. It is made for
// a thousand records a query, so it looks closely only at words that begin like
// one of its own. It is for one goroutine at a time.
type wordFinder struct {
	places  map[string]int // of each stemmed word in found
	clauses [][]int        // the places of each clause's words
	begins  [utf8.RuneSelf]bool
	found   []float64 // what each word counts where it was found best
}

func newWordFinder(clauses []string) *wordFinder {
	f := &wordFinder{places: map[string]int{}}
	for _, clause := range clauses {
		var places []int
		for _, word := range clauseWords(clause) {
			place, known := f.places[word]
			if !known {
				place = len(f.places)
				f.places[word] = place
			}
			places = append(places, place)
			if word[0] < utf8.RuneSelf {
				f.begins[word[0]] = true
			}
			if word == "two" { // other words are stemmed to it
				f.begins['c'], f.begins['p'] = true, true
			}
		}
		f.clauses = append(f.clauses, places)
	}
	f.found = make([]float64, len(f.places))
	return f
}

// look marks the words that stand in a text of some worth, 0 to 1.
func (f *wordFinder) look(text string, worth float64) {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			f.lookClosely(text, worth)
			return
		}
	}
	for start := 0; start < len(text); start++ {
		if !isWordByte(text[start]) {
			continue
		}
		end := start + 1
		for end < len(text) && isWordByte(text[end]) {
			end++
		}
		if f.begins[lowerByte(text[start])] {
			f.lookClosely(text[start:end], worth)
		}
		start = end
	}
}

func (f *wordFinder) lookClosely(text string, worth float64) {
	for _, word := range splitWords(text) {
		if place, ok := f.places[stem(word)]; ok {
			f.found[place] = max(f.found[place], worth)
		}
	}
}

func isWordByte(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= lowerByte(b) && lowerByte(b) <= 'z'
}

func lowerByte(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// share is the share of a clause's words that were found, 0 to 1.
func (f *wordFinder) share(clause int) float64 {
	places := f.clauses[clause]
	if len(places) == 0 {
		return 0
	}
	count := 0.0
	for _, place := range places {
		count += f.found[place]
	}
	return count / float64(len(places))
}

// allFound reports whether every word of the first clauses was found last.
func (f *wordFinder) allFound(clauses int) bool {
	for _, places := range f.clauses[:clauses] {
		for _, place := range places {
			if f.found[place] == 0 {
				return false
			}
		}
	}
	return true
}

// nameShares gives the shares of the first clauses' words that are names of a
// record.
func (f *wordFinder) nameShares(record *index.Record, clauses int) []float64 {
	clear(f.found)
	eachName(record, f.look)
	shares := make([]float64, clauses)
	for i := range shares {
		shares[i] = f.share(i)
	}
	return shares
}

// captionShares gives, for each clause, the share of its words in that caption
// of a record that has the most of them.
func (f *wordFinder) captionShares(record *index.Record) []float64 {
	shares := make([]float64, len(f.clauses))
	for _, caption := range record.Captions {
		clear(f.found)
		f.look(caption.Text, 1)
		for i := range shares {
			shares[i] = max(shares[i], f.share(i))
		}
	}
	return shares
}
