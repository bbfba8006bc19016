package keyword

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/search"
	index "github.com/blevesearch/bleve_index_api"
)

// Spelling is a term of the index that is like a word.
type Spelling struct {
	// Term is the indexed form, and Edits the letters by which it differs: inserted, left out, exchanged, or swapped with
	// their neighbour.
	Term  string
	Edits int
	// Count is the number of documents that have it, each counted for every field, and IDs some of them, in which it may be written
	// differently: see [Spelling.Meant].
	Count uint64
	IDs   []uint64
}

// Spellings gives terms of the word fields that a word may have been meant as, the nearest and then the most frequent first: of a
// word of [leastOneEdit] letters, without its ending, those that differ by one, of one of [leastTwoEdits] by two. They begin with the same letter. There are
// none for a word that documents have, and for what is not one word of letters.
func (r *Reader) Spellings(ctx context.Context, word string) (found []Spelling, err error) {
	term, edits := termToSpell(word)
	if edits == 0 {
		return nil, nil
	}
	r.owner.mutex.RLock() // closing the index waits
	defer r.owner.mutex.RUnlock()
	if err = r.retain(); err == nil {
		found, err = r.spellings(ctx, term, edits)
		err = errors.Join(err, r.release())
	}
	if err != nil {
		return nil, fmt.Errorf("look for spellings: %w", err)
	}
	return found, nil
}

// termToSpell is the term of a word, and by how many letters another one may differ.
func termToSpell(word string) (term string, edits int) {
	letters := utf8.RuneCountInString(word)
	if letters > longestSpelled || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return "", 0
	}
	terms := termsOf(word)
	if len(terms) != 1 {
		return "", 0
	}
	switch letters = utf8.RuneCountInString(terms[0]); { // of an ending, nothing is told
	case letters < leastOneEdit:
		return "", 0
	case letters < leastTwoEdits:
		return terms[0], 1
	}
	return terms[0], 2
}

func (r *Reader) spellings(ctx context.Context, term string, edits int) ([]Spelling, error) {
	dictionaries, able := r.documents.(index.IndexReaderFuzzy)
	if !able {
		return nil, nil
	}
	for _, field := range wordFields() {
		if there, err := r.postings(ctx, term, field.name, 1); err != nil || len(there) > 0 {
			return nil, err
		}
	}
	_, first := utf8.DecodeRuneInString(term)
	near := map[string]*Spelling{}
	for _, field := range wordFields() {
		if field.name == FieldOCR {
			continue // words there are read wrongly now and then
		}
		if err := addSpellings(near, dictionaries, field.name, term, edits, term[:first]); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	var found []Spelling
	for _, one := range near {
		found = append(found, *one)
	}
	slices.SortFunc(found, func(a, b Spelling) int {
		return cmp.Or(cmp.Compare(a.Edits, b.Edits), cmp.Compare(b.Count, a.Count), strings.Compare(a.Term, b.Term))
	})
	return r.withDocuments(ctx, found[:min(len(found), keptSpellings)])
}

// addSpellings adds the terms of a field's dictionary that are near.
func addSpellings(near map[string]*Spelling, dictionaries index.IndexReaderFuzzy, field, term string, edits int, prefix string) (err error) {
	dictionary, automaton, err := dictionaries.FieldDictFuzzyAutomaton(field, term, edits, prefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dictionary.Close()) }()
	for range readSpellings {
		entry, err := dictionary.Next()
		if err != nil || entry == nil {
			return err
		}
		within, distance := automaton.MatchAndDistance(entry.Term)
		if !within || distance == 0 {
			continue
		}
		if near[entry.Term] == nil {
			near[strings.Clone(entry.Term)] = &Spelling{Term: strings.Clone(entry.Term), Edits: int(distance)}
		}
		near[entry.Term].Count += entry.Count
	}
	return nil
}

// withDocuments finds documents for each term, and leaves out those that only documents had that are gone.
func (r *Reader) withDocuments(ctx context.Context, spellings []Spelling) ([]Spelling, error) {
	var found []Spelling
	for _, one := range spellings {
		for _, field := range wordFields() {
			there, err := r.postings(ctx, one.Term, field.name, formsRead-len(one.IDs))
			if err != nil {
				return nil, err
			}
			for _, internal := range there {
				external, err := r.documents.ExternalID(internal)
				if err != nil {
					return nil, err
				}
				id, err := idOf(external)
				if err != nil {
					return nil, err
				}
				one.IDs = append(one.IDs, id)
			}
		}
		if len(one.IDs) > 0 {
			found = append(found, one)
		}
	}
	return found, nil
}

// postings gives some documents that have a term in a field.
func (r *Reader) postings(ctx context.Context, term, field string, most int) (ids []index.IndexInternalID, err error) {
	postings, err := r.documents.TermFieldReader(ctx, []byte(term), field, false, false, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, postings.Close()) }()
	for len(ids) < most {
		next, err := postings.Next(nil)
		if err != nil {
			return nil, err
		}
		if next == nil {
			break
		}
		ids = append(ids, slices.Clone(next.ID))
	}
	return ids, nil
}

// Meant gives of the forms in which documents write the term, in lower case, the one that a word was meant as: that which differs by
// the fewest letters, of equals the first in the alphabet; "" of none. document gives a document by its ID, nil where it has gone.
func (s Spelling) Meant(word string, document func(id uint64) *Document) string {
	word = strings.ToLower(word)
	differs := func(form string) int { return search.LevenshteinDistance(word, form) }
	meant := ""
	for _, id := range s.IDs {
		there := document(id)
		if there == nil {
			continue
		}
		form := there.Written(s.Term)
		if form != "" && (meant == "" || cmp.Or(cmp.Compare(differs(form), differs(meant)), strings.Compare(form, meant)) < 0) {
			meant = form
		}
	}
	return meant
}

// Written gives a word of the document that has a term, in lower case; "" where it has none any more.
func (d *Document) Written(term string) string {
	wanted := map[string]bool{term: true}
	for _, field := range wordFields() {
		for _, value := range d.words(field.name) {
			for _, place := range Places(value, wanted) {
				runes := []rune(value)
				return strings.ToLower(string(runes[place.Offset : place.Offset+place.Length]))
			}
		}
	}
	return ""
}
