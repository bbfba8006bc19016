package search

import (
	"slices"
	"sync"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/keyword"
)

// ContentWords counts the words of a text that are more than grammar, each
// once.
func ContentWords(text string) int { return len(contentTerms(text)) }

// contentTerms gives the terms of a text that could name something, each once.
func contentTerms(text string) []string {
	var terms []string
	for _, term := range keyword.Terms(text) {
		if !slices.Contains(terms, term) && !saysNothing(term) {
			terms = append(terms, term)
		}
	}
	return terms
}

// saysNothing reports whether a term names nothing in a library of pictures: words
// that say of a picture that it is one, and words that every picture's path could have.
func saysNothing(term string) bool {
	return emptyTerms()[term] || pixels.HasImageName("name."+term)
}

var emptyTerms = sync.OnceValue(func() map[string]bool {
	empty := map[string]bool{}
	for _, term := range keyword.Terms("photo picture image img file folder home user desktop documents downloads dcim") {
		empty[term] = true
	}
	return empty
})

// wordFinder finds which words of some clauses stand in the texts of a record. It
// is for one goroutine at a time.
type wordFinder struct {
	finder  *keyword.Finder
	clauses [][]int   // the places of each clause's terms in found
	found   []float64 // what each term counts where it was found best
}

func newWordFinder(clauses []string) *wordFinder {
	f := &wordFinder{}
	var terms []string
	for _, clause := range clauses {
		var places []int
		for _, term := range contentTerms(clause) {
			place := slices.Index(terms, term)
			if place < 0 {
				place = len(terms)
				terms = append(terms, term)
			}
			places = append(places, place)
		}
		f.clauses = append(f.clauses, places)
	}
	f.finder, f.found = keyword.NewFinder(terms), make([]float64, len(terms))
	return f
}

// look marks the terms that stand in a text of some worth, 0 to 1.
func (f *wordFinder) look(text string, worth float64) {
	f.finder.Find(text, func(place int) { f.found[place] = max(f.found[place], worth) })
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
