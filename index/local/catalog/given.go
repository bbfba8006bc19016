package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mekiki/index"
)

// What people gave a record, beside its tags, is written apart from the record: in
// operations of its own, which versions that do not know them refuse.

const (
	ownerRecord   = iota + 1 // of what was given: the record
	ownerSequence            // the commit that gave it
	ownerHash                // or the content of which it is kept
	ownerGiven
)

const (
	givenRating = iota + 1
	givenFavourite
	givenTitle
	givenDate
	givenHidden
	givenCollection
	givenTrashed
	givenDescription
	givenPerson
)

const (
	searchName = iota + 1
	searchQuery
	searchSaved
)

func encodeGiven(e *encoder, g *index.Given) {
	if g == nil {
		return
	}
	if g.Rating != nil {
		e.whole(givenRating, int64(*g.Rating))
	}
	e.flag(givenFavourite, g.Favourite)
	e.text(givenTitle, g.Title)
	e.time(givenDate, g.Date)
	e.flag(givenHidden, g.Hidden)
	for _, name := range g.Collections {
		e.text(givenCollection, name)
	}
	e.time(givenTrashed, g.Trashed)
	e.text(givenDescription, g.Description)
	for _, name := range g.People {
		e.text(givenPerson, name)
	}
}

// decodeGiven gives nil for nothing.
func decodeGiven(data string) (*index.Given, error) {
	g := &index.Given{}
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case givenRating:
			var rating int64
			if err := value.int(&rating); err != nil {
				return err
			}
			stars := int(max(0, min(rating, 5)))
			g.Rating = &stars
		case givenFavourite:
			return decodeInto(value, func(v uint64) { g.Favourite = v != 0 })
		case givenTitle:
			return value.text(&g.Title)
		case givenDate:
			return value.time(&g.Date)
		case givenHidden:
			return decodeInto(value, func(v uint64) { g.Hidden = v != 0 })
		case givenCollection:
			g.Collections = append(g.Collections, string(value))
		case givenTrashed:
			return value.time(&g.Trashed)
		case givenDescription:
			return value.text(&g.Description)
		case givenPerson:
			g.People = append(g.People, string(value))
		}
		return nil
	})
	if g.IsZero() {
		return nil, err
	}
	return g, err
}

// PutGiven sets what people gave a record; nil is nothing. A record that there is not has
// nothing.
func (t *Transaction) PutGiven(id index.ID, given *index.Given) { t.putGiven(id, given, t.Sequence) }

func (t *Transaction) putGiven(id index.ID, given *index.Given, sequence uint64) {
	old, there := t.Record(id)
	if !there {
		return
	}
	changed := *old
	changed.Given, changed.Sequence = given, max(old.Sequence, sequence)
	t.Withheld += withheld(&changed) - withheld(old)
	t.records.Set(id, &changed)
	if !old.Given.SameWords(given) {
		t.touch(id)
	}
	if !t.Replaying {
		t.given[id] = true
	}
}

// withheld is 1 for a record that is hidden or in the trash.
func withheld(r *index.Record) int {
	if r.Hidden() || r.InTrash() {
		return 1
	}
	return 0
}

func appendGiven(buffer []byte, r *index.Record) []byte {
	return appendOperation(buffer, operationPutGiven, func(e *encoder) {
		e.uint(ownerRecord, uint64(r.ID))
		e.uint(ownerSequence, r.Sequence)
		e.nested(ownerGiven, func(e *encoder) { encodeGiven(e, r.Given) })
	})
}

func encodeKeptGiven(e *encoder, k *index.Kept) {
	e.bytes(ownerHash, k.Hash[:])
	e.nested(ownerGiven, func(e *encoder) { encodeGiven(e, k.Given) })
}

// replayGiven replays what was given to a record, or is kept of a content.
func (t *Transaction) replayGiven(kind OperationKind, body string) error {
	var id, sequence uint64
	var hash index.Hash
	var given *index.Given
	err := fields(body, func(tag uint64, value field) (err error) {
		switch tag {
		case ownerRecord:
			return value.uint(&id)
		case ownerSequence:
			return value.uint(&sequence)
		case ownerHash:
			return value.hash(&hash)
		case ownerGiven:
			given, err = decodeGiven(string(value))
			return err
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case kind == operationPutGiven && !t.mayBe(index.ID(id)), kind == operationPutKeptGiven && hash.IsZero():
		return ErrShort
	case kind == operationPutGiven:
		t.putGiven(index.ID(id), given, sequence)
	default:
		if kept, there := t.Kept[hash]; there {
			kept.Given = given
			t.PutKept(kept)
		}
	}
	return nil
}

// SearchKey is what tells saved searches apart: their names in lower case.
func SearchKey(name string) string { return strings.ToLower(name) }

func encodeSearch(e *encoder, s index.SavedSearch) {
	e.text(searchName, s.Name)
	e.text(searchQuery, s.Query)
	e.time(searchSaved, s.Saved)
}

func decodeSearch(data string) (index.SavedSearch, error) {
	var s index.SavedSearch
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case searchName:
			return value.text(&s.Name)
		case searchQuery:
			return value.text(&s.Query)
		case searchSaved:
			return value.time(&s.Saved)
		}
		return nil
	})
	if err == nil && s.Name == "" {
		err = fmt.Errorf("%w: a saved search has no name", ErrShort)
	}
	return s, err
}

func (t *Transaction) ownSearches() {
	if !t.ownsSearches {
		t.Searches = maps.Clone(t.Searches)
		if t.Searches == nil {
			t.Searches = map[string]index.SavedSearch{}
		}
		t.ownsSearches = true
	}
}

// PutSearch saves a search.
func (t *Transaction) PutSearch(s index.SavedSearch) {
	t.ownSearches()
	t.Searches[SearchKey(s.Name)] = s
	t.log(operationPutSearch, func(e *encoder) { encodeSearch(e, s) })
}

// RemoveSearch forgets a saved search.
func (t *Transaction) RemoveSearch(name string) {
	if _, there := t.Searches[SearchKey(name)]; !there {
		return
	}
	t.ownSearches()
	delete(t.Searches, SearchKey(name))
	t.log(operationRemoveSearch, func(e *encoder) { e.text(searchName, name) })
}

// replaySearch replays the saving of a search, or that it is forgotten.
func (t *Transaction) replaySearch(kind OperationKind, body string) error {
	search, err := decodeSearch(body)
	if err != nil {
		return err
	}
	if kind == operationPutSearch {
		t.PutSearch(search)
	} else {
		t.RemoveSearch(search.Name)
	}
	return nil
}

// SortedSearches lists the saved searches of a state, by name.
func SortedSearches(searches map[string]index.SavedSearch) []index.SavedSearch {
	return slices.SortedFunc(maps.Values(searches), func(a, b index.SavedSearch) int { return strings.Compare(a.Name, b.Name) })
}
