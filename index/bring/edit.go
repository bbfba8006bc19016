package bring

import (
	"slices"
	"strings"
	"time"

	"mekiki/index"
)

// Edit is what is done to one record.
type Edit struct {
	ID                index.ID           `json:"id"`
	AddTags           []string           `json:"add_tags,omitempty"`
	RemoveTags        []string           `json:"remove_tags,omitempty"`
	AddCollections    []string           `json:"add_collections,omitempty"`
	RemoveCollections []string           `json:"remove_collections,omitempty"`
	AddPeople         []string           `json:"add_people,omitempty"`
	RemovePeople      []string           `json:"remove_people,omitempty"`
	Set               index.GivenMembers `json:"set,omitempty"`
	To                index.Given        `json:"to"`
}

// IsZero reports whether nothing is done.
func (e Edit) IsZero() bool {
	return e.Set == 0 && len(e.AddTags)+len(e.RemoveTags)+len(e.AddCollections)+len(e.RemoveCollections)+len(e.AddPeople)+len(e.RemovePeople) == 0
}

// AddTo adds the edit to a batch.
func (e Edit) AddTo(batch *index.Batch) {
	if len(e.AddTags)+len(e.RemoveTags) > 0 {
		batch.Tags = append(batch.Tags, index.TagChange{ID: e.ID, Add: e.AddTags, Remove: e.RemoveTags})
	}
	change := index.GivenChange{
		ID: e.ID, Set: e.Set, To: e.To, AddCollections: e.AddCollections, RemoveCollections: e.RemoveCollections,
		AddPeople: e.AddPeople, RemovePeople: e.RemovePeople,
	}
	if change.Set != 0 || len(e.AddCollections)+len(e.RemoveCollections)+len(e.AddPeople)+len(e.RemovePeople) > 0 {
		batch.Given = append(batch.Given, change)
	}
}

// Conflict is a value that people gave in Mekiki and that another program has otherwise.
type Conflict struct {
	ID     index.ID `json:"id"`
	Path   string   `json:"path"`
	Member string   `json:"member"`
	Here   string   `json:"here"`
	There  string   `json:"there"`
}

// editOf gives what an item makes of a record, and what of it people gave otherwise, which wins unless overwrite.
func editOf(record *index.Record, item Item, overwrite bool) (edit Edit, conflicts []Conflict) {
	edit.ID = record.ID
	given := index.Given{}
	if record.Given != nil {
		given = *record.Given
	}
	edit.AddTags = atOnce(missing(item.Tags, slices.Concat(record.Tags, record.Metadata.Keywords)))
	edit.AddCollections = atOnce(missing(item.Albums, given.Collections))
	edit.AddPeople = atOnce(missing(item.People, record.People()))
	if item.Favourite && !given.Favourite {
		edit.Set, edit.To.Favourite = edit.Set|index.GivenFavourite, true
	}
	value := func(member index.GivenMembers, name, here, there string, isGiven bool, set func()) {
		if there == "" || here == there {
			return
		}
		if isGiven {
			conflicts = append(conflicts, Conflict{ID: record.ID, Path: record.Path(), Member: name, Here: here, There: there})
			if !overwrite {
				return
			}
		}
		edit.Set |= member
		set()
	}
	value(index.GivenTitle, "title", record.Title(), item.Title, given.Title != "", func() { edit.To.Title = item.Title })
	value(index.GivenDescription, "description", record.Description(), item.Description, given.Description != "", func() { edit.To.Description = item.Description })
	value(index.GivenRating, "rating", stars(record.Rating()), stars(item.Rating), given.Rating != nil, func() { edit.To.Rating = item.Rating })
	if !repeatsFile(record, item.Date) {
		value(index.GivenDate, "date", clock(record.Taken()), clock(item.Date), !given.Date.IsZero(), func() { edit.To.Date = item.Date })
	}
	return edit, conflicts
}

// atOnce bounds a list to what one edit may have, as of virtual copies that are joined: the next run brings the rest.
func atOnce(words []string) []string { return words[:min(len(words), MaximumValues)] }

// missing gives the words that are not in a list, whatever their case.
func missing(words, list []string) (kept []string) {
	for _, word := range words {
		has := func(list []string) bool {
			return slices.ContainsFunc(list, func(each string) bool { return strings.EqualFold(each, word) })
		}
		if !has(list) && !has(kept) {
			kept = append(kept, word)
		}
	}
	return kept
}

func stars(rating *int) string {
	if rating == nil {
		return ""
	}
	return strings.Repeat("*", max(0, *rating))
}

func clock(date time.Time) string {
	if date.IsZero() {
		return ""
	}
	return date.Format("2006-01-02 15:04:05")
}

// repeatsFile reports whether a date is only what the file says of itself, in whatever zone: when it was taken, or when it
// was last changed.
func repeatsFile(record *index.Record, date time.Time) bool {
	const quarter, tolerance, furthest = 15 * time.Minute, 2 * time.Second, 14 * time.Hour
	for _, own := range []time.Time{record.Metadata.Taken, record.Modified()} {
		difference := date.Sub(own)
		if !own.IsZero() && (difference-difference.Round(quarter)).Abs() <= tolerance && difference.Abs() <= furthest {
			return true
		}
	}
	return date.IsZero()
}

// together joins what one source says of one picture twice, as of its virtual copies: the first says the values.
func (i Item) together(other Item) Item {
	i.Tags = append(i.Tags, missing(other.Tags, i.Tags)...)
	i.Albums = append(i.Albums, missing(other.Albums, i.Albums)...)
	i.People = append(i.People, missing(other.People, i.People)...)
	if i.Rating == nil {
		i.Rating = other.Rating
	}
	i.Favourite = i.Favourite || other.Favourite
	if i.Title == "" {
		i.Title = other.Title
	}
	if i.Description == "" {
		i.Description = other.Description
	}
	if i.Date.IsZero() {
		i.Date = other.Date
	}
	return i
}

// inverse gives what takes an edit of a record back: each value only if it is still what the edit made of it. former is
// what there was before. kept counts the values that have changed since.
func (e Edit) inverse(record *index.Record, former index.Given) (back Edit, kept int) {
	back = Edit{ID: e.ID, RemoveTags: e.AddTags, RemoveCollections: e.AddCollections, RemovePeople: e.AddPeople}
	now := index.Given{}
	if record.Given != nil {
		now = *record.Given
	}
	same := func(member index.GivenMembers, is bool) {
		switch {
		case e.Set&member == 0:
		case is:
			back.Set |= member
		default:
			kept++
		}
	}
	same(index.GivenTitle, now.Title == e.To.Title)
	same(index.GivenDescription, now.Description == e.To.Description)
	same(index.GivenFavourite, now.Favourite == e.To.Favourite)
	same(index.GivenDate, now.Date.Equal(e.To.Date))
	same(index.GivenRating, now.Rating != nil && e.To.Rating != nil && *now.Rating == *e.To.Rating)
	back.To = former
	return back, kept
}
