package keyword

import (
	"math"
	"slices"

	"github.com/blevesearch/bleve/v2/search"
)

// Field is a field that words are searched in, with its weight in a score.
type Field struct {
	Name   string
	Weight float64
}

// Fields lists the fields, for an index that is not this package's.
func Fields() []Field {
	var fields []Field
	for _, field := range wordFields() {
		fields = append(fields, Field{field.name, field.weight})
	}
	return fields
}

// FieldTerms gives the terms of a field of the document, in order and with repetitions, as
// this package's index has them.
func (d *Document) FieldTerms(field string) []string {
	var terms []string
	for _, value := range d.words(field) {
		terms = append(terms, termsOf(value)...)
	}
	return terms
}

// QueryTerms gives the terms that some words are looked for by, in whatever field, each once.
func QueryTerms(words string) []string {
	var terms []string
	seen := map[string]bool{}
	for _, text := range []string{words, splitWords(words)} {
		for _, term := range termsOf(text) {
			if !seen[term] {
				seen[term] = true
				terms = append(terms, term)
			}
		}
	}
	return terms
}

// Statistics say how many documents an index that is not this package's has, and how many
// of them have a term in a field.
type Statistics struct {
	Documents int
	With      func(field, term string) int
}

// AllTerms gives the terms of each field of the document that has any; see [Document.FieldTerms].
func (d *Document) AllTerms() map[string][]string {
	all := map[string][]string{}
	for _, field := range wordFields() {
		if terms := d.FieldTerms(field.name); len(terms) > 0 {
			all[field.name] = terms
		}
	}
	return all
}

// Scorer gives documents of an index that is not this package's the scores for some words.
// It may be used from any goroutine.
type Scorer struct {
	fields     []wantedField
	statistics Statistics
}

// wantedField is what is looked for in a field.
type wantedField struct {
	weighted
	terms []string
	with  []int // documents that have each of the terms
}

// NewScorer prepares scores for some words. Terms are found and counted once, not for each
// document.
func NewScorer(words string, statistics Statistics) *Scorer {
	s := &Scorer{statistics: statistics}
	for _, field := range wordFields() {
		wanted := wantedField{weighted: field, terms: fieldTerms(field, words)}
		for _, term := range wanted.terms {
			wanted.with = append(wanted.with, statistics.With(field.name, term))
		}
		if len(wanted.terms) > 0 {
			s.fields = append(s.fields, wanted)
		}
	}
	return s
}

// Score is the score that this package's index would give a document for the words,
// without phrases: the weighted sum of BM25 over fields and words. Document has the terms of
// the document's fields, as [Document.AllTerms] gives them. It is zero where none of the words
// is in the document.
func (s *Scorer) Score(document map[string][]string) float64 {
	total := 0.0
	for _, field := range s.fields {
		terms := document[field.name]
		for i, term := range field.terms {
			frequency := 0
			for _, one := range terms {
				if one == term {
					frequency++
				}
			}
			if frequency > 0 {
				total += field.weight * bm25(frequency, len(terms), field.length, field.with[i], s.statistics.Documents)
			}
		}
	}
	return total
}

// fieldTerms are the terms that words are looked for by in a field, each once.
func fieldTerms(field weighted, words string) []string {
	if field.splits() {
		words = splitWords(words)
	}
	var terms []string
	for _, term := range termsOf(words) {
		if !slices.Contains(terms, term) {
			terms = append(terms, term)
		}
	}
	return terms
}

// FieldsOf gives the fields and terms that a query for some words counts the documents of.
func FieldsOf(words string, each func(field, term string)) {
	for _, field := range wordFields() {
		for _, term := range fieldTerms(field, words) {
			each(field.name, term)
		}
	}
}

// bm25 is BM25 as bleve computes it.
func bm25(frequency, length, average, with, documents int) float64 {
	k1, b, t := search.BM25_k1, search.BM25_b, math.Sqrt(float64(frequency))
	idf := math.Log(1 + (float64(documents)-float64(with)+0.5)/(float64(with)+0.5))
	return idf * t * k1 / (t + k1*(1-b+b*float64(length)/float64(average)))
}

// TermToSpell is the term of a word, and by how many letters another word may differ that it
// may have been meant as: none, where it is looked for as it is.
func TermToSpell(word string) (term string, edits int) { return termToSpell(word) }
