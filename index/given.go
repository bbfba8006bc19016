package index

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Given is what people gave a record, beside its tags. What it says of title, date and
// rating goes before what the file says: see [Record.Title], [Record.Date] and
// [Record.Rating]. It comes through a [GivenChange] alone, stays when the file is read
// again, moves or changes, and is kept as tags are when the last file goes.
type Given struct {
	// Rating is from 1 to 5, or 0 for unrated, whatever the file says; nil leaves it to
	// the file.
	Rating *int
	// Favourite marks a record that somebody likes.
	Favourite bool
	// Title goes before the file's; "" leaves it to the file.
	Title string
	// Description goes before the file's; "" leaves it to the file.
	Description string
	// People are the names of those who are in the picture, sorted, without duplicates,
	// beside those that the file names.
	People []string
	// Date goes before the file's: what the clock showed, as if it were UTC; zero leaves
	// it to the file.
	Date time.Time
	// Hidden leaves the record out of searches and lists that do not ask for it.
	Hidden bool
	// Collections are the names of those it is in, sorted, without duplicates.
	Collections []string
	// Trashed is when the record was put in the trash; zero when it is not there.
	Trashed time.Time
}

// GivenMembers are members of [Given].
type GivenMembers uint16

// The members of [Given].
const (
	GivenRating GivenMembers = 1 << iota
	GivenFavourite
	GivenTitle
	GivenDate
	GivenHidden
	GivenCollections
	GivenTrashed
	GivenDescription
	GivenPeople
)

// GivenChange changes what people gave one record.
type GivenChange struct {
	ID ID
	// Set says which members of To take the place of the record's; the others stay.
	Set GivenMembers
	To  Given
	// AddCollections and RemoveCollections change the record's collections after that.
	// Removing ignores case, and wins.
	AddCollections, RemoveCollections []string
	// AddPeople and RemovePeople change those that people named, in the same way.
	AddPeople, RemovePeople []string
}

// IsZero reports whether nothing was given.
func (g *Given) IsZero() bool { return g == nil || g.Equal(nil) }

// Equal reports whether two are the same; nil is nothing given.
func (g *Given) Equal(other *Given) bool {
	var none Given
	if g == nil {
		g = &none
	}
	if other == nil {
		other = &none
	}
	sameRating := (g.Rating == nil) == (other.Rating == nil) && (g.Rating == nil || *g.Rating == *other.Rating)
	return sameRating && g.Favourite == other.Favourite && g.Title == other.Title && g.Date.Equal(other.Date) &&
		g.Hidden == other.Hidden && slices.Equal(g.Collections, other.Collections) && g.Trashed.Equal(other.Trashed) &&
		g.Description == other.Description && slices.Equal(g.People, other.People)
}

// SameWords reports whether two make no difference to what words and filters of the
// keyword index find.
func (g *Given) SameWords(other *Given) bool {
	words := func(g *Given) *Given {
		if g == nil {
			return nil
		}
		return &Given{Rating: g.Rating, Title: g.Title, Date: g.Date, Description: g.Description, People: g.People}
	}
	return words(g).Equal(words(other))
}

// Merge gives what is given by either of two; where both say something, the first goes
// before the second. It changes neither.
func (g *Given) Merge(other *Given) *Given {
	if g.IsZero() {
		return other
	}
	if other.IsZero() {
		return g
	}
	merged := *g
	if merged.Rating == nil {
		merged.Rating = other.Rating
	}
	if merged.Title == "" {
		merged.Title = other.Title
	}
	if merged.Description == "" {
		merged.Description = other.Description
	}
	if merged.Date.IsZero() {
		merged.Date = other.Date
	}
	if merged.Trashed.IsZero() {
		merged.Trashed = other.Trashed
	}
	merged.Favourite, merged.Hidden = g.Favourite || other.Favourite, g.Hidden || other.Hidden
	merged.Collections = ChangeWords(g.Collections, other.Collections, nil)
	merged.People = ChangeWords(g.People, other.People, nil)
	return &merged
}

// Apply gives what a record has after the change; nil for nothing. It leaves former as
// it is, which may be nil.
func (c GivenChange) Apply(former *Given) *Given {
	var changed Given
	if former != nil {
		changed = *former
	}
	for member, set := range map[GivenMembers]func(){
		GivenRating:      func() { changed.Rating = c.To.Rating },
		GivenFavourite:   func() { changed.Favourite = c.To.Favourite },
		GivenTitle:       func() { changed.Title = strings.TrimSpace(c.To.Title) },
		GivenDate:        func() { changed.Date = c.To.Date },
		GivenHidden:      func() { changed.Hidden = c.To.Hidden },
		GivenCollections: func() { changed.Collections = ChangeWords(nil, c.To.Collections, nil) },
		GivenTrashed:     func() { changed.Trashed = c.To.Trashed },
		GivenDescription: func() { changed.Description = strings.TrimSpace(c.To.Description) },
		GivenPeople:      func() { changed.People = ChangeWords(nil, c.To.People, nil) },
	} {
		if c.Set&member != 0 {
			set()
		}
	}
	if len(c.AddCollections)+len(c.RemoveCollections) > 0 {
		changed.Collections = ChangeWords(changed.Collections, c.AddCollections, c.RemoveCollections)
	}
	if len(c.AddPeople)+len(c.RemovePeople) > 0 {
		changed.People = ChangeWords(changed.People, c.AddPeople, c.RemovePeople)
	}
	if changed.IsZero() {
		return nil
	}
	return &changed
}

// Check refuses what nobody may give.
func (g *Given) Check() error {
	if g == nil {
		return nil
	}
	if g.Rating != nil && (*g.Rating < 0 || *g.Rating > 5) {
		return fmt.Errorf("a rating of %d is not from 0 to 5", *g.Rating)
	}
	if len(g.Title) > MaximumTitle || !utf8.ValidString(g.Title) {
		return fmt.Errorf("a title is text of at most %d bytes", MaximumTitle)
	}
	if len(g.Description) > MaximumDescription || !utf8.ValidString(g.Description) {
		return fmt.Errorf("a description is text of at most %d bytes", MaximumDescription)
	}
	for _, date := range []time.Time{g.Date, g.Trashed} {
		if year := date.UTC().Year(); year < 1 || year > 9999 {
			return fmt.Errorf("a date lies in the years 1 to 9999")
		}
	}
	if len(g.Collections) > MaximumCollections {
		return fmt.Errorf("a record is in more than %d collections", MaximumCollections)
	}
	for _, name := range g.Collections {
		if name == "" || len(name) > MaximumName || !utf8.ValidString(name) {
			return fmt.Errorf("the name of a collection is text of 1 to %d bytes", MaximumName)
		}
	}
	if len(g.People) > MaximumPeople {
		return fmt.Errorf("a record has more than %d people", MaximumPeople)
	}
	for _, name := range g.People {
		if name == "" || len(name) > MaximumName || !utf8.ValidString(name) {
			return fmt.Errorf("the name of a person is text of 1 to %d bytes", MaximumName)
		}
	}
	return nil
}

// ChangeWords gives tags, or names of collections, sorted, without duplicates or blanks
// at their ends. Removing ignores case, and wins.
func ChangeWords(words, add, remove []string) []string {
	var changed []string
	for _, word := range slices.Concat(words, add) {
		word = strings.Join(strings.Fields(word), " ")
		removed := slices.ContainsFunc(remove, func(r string) bool { return strings.EqualFold(strings.TrimSpace(r), word) })
		if word != "" && !removed {
			changed = append(changed, word)
		}
	}
	slices.Sort(changed)
	return slices.Compact(changed)
}

// Title is what people call the record, or else its file does, or "".
func (r *Record) Title() string {
	if r.Given != nil && r.Given.Title != "" {
		return r.Given.Title
	}
	return r.Metadata.Title
}

// Description is what people say of the record, or else its file does, or "".
func (r *Record) Description() string {
	if r.Given != nil && r.Given.Description != "" {
		return r.Given.Description
	}
	return r.Metadata.Description
}

// People are the names of those who are in the picture: those that its file names, then
// those that people do.
func (r *Record) People() []string {
	if r.Given == nil || len(r.Given.People) == 0 {
		return r.Metadata.People
	}
	all := slices.Clone(r.Metadata.People)
	for _, name := range r.Given.People {
		if !slices.ContainsFunc(all, func(other string) bool { return strings.EqualFold(other, name) }) {
			all = append(all, name)
		}
	}
	return all
}

// Rating is what people rate the record, or else its file says: from 1 to 5, or -1 for a
// rejected picture; nil when unrated.
func (r *Record) Rating() *int {
	if r.Given == nil || r.Given.Rating == nil {
		return r.Metadata.Rating
	}
	if *r.Given.Rating == 0 {
		return nil
	}
	return r.Given.Rating
}

// Taken is when people say that the picture was taken, or else its file says: what the
// clock showed, as if it were UTC; zero when unknown. Of a date that people gave, the
// offset of the clock is not known.
func (r *Record) Taken() time.Time {
	if r.Given != nil && !r.Given.Date.IsZero() {
		return r.Given.Date
	}
	return r.Metadata.Taken
}

// TakenOffset is how far the clock of [Record.Taken] was ahead of UTC; nil when unknown.
func (r *Record) TakenOffset() *time.Duration {
	if r.Given != nil && !r.Given.Date.IsZero() {
		return nil
	}
	return r.Metadata.TakenOffset
}

// Favourite reports whether somebody likes the record.
func (r *Record) Favourite() bool { return r.Given != nil && r.Given.Favourite }

// Hidden reports whether searches and lists leave the record out that do not ask for it.
func (r *Record) Hidden() bool { return r.Given != nil && r.Given.Hidden }

// Collections are the names of the collections that the record is in.
func (r *Record) Collections() []string {
	if r.Given == nil {
		return nil
	}
	return r.Given.Collections
}

// Trashed is when the record was put in the trash; zero when it is not there.
func (r *Record) Trashed() time.Time {
	if r.Given == nil {
		return time.Time{}
	}
	return r.Given.Trashed
}

// InTrash reports whether the record is in the trash.
func (r *Record) InTrash() bool { return !r.Trashed().IsZero() }

// TrashedUntil is when a record in the trash is removed for good.
func (r *Record) TrashedUntil() time.Time { return r.Trashed().Add(TrashedFor) }

// SavedSearch is a search that somebody gave a name: a collection of what it finds.
type SavedSearch struct {
	// Name tells it from the others; names that differ by case alone are one.
	Name string
	// Query is the search as whoever saved it writes it, such as the parameters of an
	// address: the library does not read it.
	Query string
	// Saved is when it was saved last; the library sets it.
	Saved time.Time
}

// Check refuses what cannot be saved.
func (s SavedSearch) Check() error {
	switch {
	case s.Name == "" || strings.TrimSpace(s.Name) != s.Name || len(s.Name) > MaximumName || !utf8.ValidString(s.Name):
		return fmt.Errorf("the name of a saved search is text of 1 to %d bytes", MaximumName)
	case s.Query == "" || len(s.Query) > MaximumQuery || !utf8.ValidString(s.Query):
		return fmt.Errorf("a saved search is text of 1 to %d bytes", MaximumQuery)
	}
	return nil
}
