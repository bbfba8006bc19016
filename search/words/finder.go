package words

import (
	"slices"
	"sync"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/keyword"
)

// Count counts the words of a text that are more than grammar, each
// once.
func Count(text string) int { return len(Terms(text)) }

// Terms gives the terms of a text that could name something, each once.
func Terms(text string) []string {
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

// Shares are the shares of a clause's content words, 0 to 1, in a record's words.
type Shares struct {
	// All is the share in captions and names together, and Named in names alone.
	All, Named float64
	// Name is what the names are worth as an answer: Named where they have every word,
	// else 0.
	Name float64
}

// Larger takes the larger share of each clause of two lists of one length, such as those of a query in two languages.
func Larger(a, b []Shares) []Shares {
	list := make([]Shares, len(a))
	for i := range a {
		list[i] = Shares{All: max(a[i].All, b[i].All), Named: max(a[i].Named, b[i].Named), Name: max(a[i].Name, b[i].Name)}
	}
	return list
}

// Finder finds which words of some clauses stand in the texts of a record. It
// is for one goroutine at a time.
type Finder struct {
	finder  *keyword.Finder
	clauses [][]int   // the places of each clause's terms in found
	found   []float64 // what each term counts where it was found best
}

// NewFinder makes a Finder of the words of some clauses.
func NewFinder(clauses []string) *Finder {
	f := &Finder{}
	var terms []string
	for _, clause := range clauses {
		var places []int
		for _, term := range Terms(clause) {
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
func (f *Finder) look(text string, worth float64) {
	f.finder.Find(text, func(place int) { f.found[place] = max(f.found[place], worth) })
}

// share is the share of a clause's words that were found, 0 to 1.
func (f *Finder) share(clause int) float64 {
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

// Shares finds how much of each clause stands in the words of a record. What is
// unwanted, behind the first clauses, is looked for in captions alone: a name says what
// a picture is called and not that it must not be shown.
func (f *Finder) Shares(record *index.Record, wanted int) []Shares {
	shares := make([]Shares, len(f.clauses))
	clear(f.found)
	eachName(record, f.look)
	for i := range wanted {
		shares[i].Named, shares[i].Name = f.share(i), f.share(i)
		if slices.ContainsFunc(f.clauses[i], func(place int) bool { return f.found[place] == 0 }) {
			shares[i].Name = 0
		}
	}
	captions := func(clauses, from int) {
		for _, caption := range record.Captions {
			f.look(caption.Text, 1)
		}
		for i := from; i < clauses; i++ {
			shares[i].All = f.share(i)
		}
	}
	captions(wanted, 0)
	if wanted < len(f.clauses) {
		clear(f.found)
		captions(len(f.clauses), wanted)
	}
	return shares
}

// FileShare is the share of the first clause's words among a file's names.
func (f *Finder) FileShare(file index.File) float64 {
	clear(f.found)
	eachFileName(file, f.look)
	return f.share(0)
}
