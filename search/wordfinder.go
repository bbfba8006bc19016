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

// shares finds how much of each clause stands in the words of a record. What is
// unwanted, behind the first clauses, is looked for in captions alone: a name says what
// a picture is called and not that it must not be shown.
func (f *wordFinder) shares(record *index.Record, wanted int) []clauseWords {
	shares := make([]clauseWords, len(f.clauses))
	clear(f.found)
	eachName(record, f.look)
	for i := range wanted {
		shares[i].named, shares[i].name = f.share(i), f.share(i)
		if slices.ContainsFunc(f.clauses[i], func(place int) bool { return f.found[place] == 0 }) {
			shares[i].name = 0
		}
	}
	captions := func(clauses, from int) {
		for _, caption := range record.Captions {
			f.look(caption.Text, 1)
		}
		for i := from; i < clauses; i++ {
			shares[i].all = f.share(i)
		}
	}
	captions(wanted, 0)
	if wanted < len(f.clauses) {
		clear(f.found)
		captions(len(f.clauses), wanted)
	}
	return shares
}
