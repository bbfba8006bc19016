package editing

import (
	"slices"

	"mekiki/index"
)

// undoing is what a change did to one record, by which it is taken back, and nothing else with it: what somebody else has
// given or taken since stays as it is.
type undoing struct {
	id                        index.ID
	tags, collections, people words
	// set are the other members that it changed, which were as in before and are as in after.
	set           index.GivenMembers
	before, after *index.Given
}

// done is what a change did.
type done struct {
	records []undoing
	renamed renaming
}

// renaming says that a collection has another name; the zero value that none has.
type renaming struct{ from, to string }

// lists are the members that are lists: of these a change takes back the words that it gave and took, one by one.
const lists = index.GivenCollections | index.GivenPeople

// words are those that a change gave a list, and took from it.
type words struct{ gave, took []string }

// difference gives the words by which a list became another.
func difference(before, after []string) (w words) {
	without := func(list, others []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(word string) bool { return slices.Contains(others, word) })
	}
	return words{gave: without(after, before), took: without(before, after)}
}

// back gives a list, as it is now, with the change taken back.
func (w words) back(now []string) []string {
	left := slices.DeleteFunc(slices.Clone(now), func(word string) bool { return slices.Contains(w.gave, word) })
	return index.ChangeWords(left, w.took, nil)
}

// changes reports whether a list is another than it was.
func (w words) changes() bool { return len(w.gave)+len(w.took) > 0 }

// back is the change that takes this one back from a record as it is now. Of a member that has another value by now, somebody
// else's, nothing is taken back.
func (u undoing) back(record *index.Record) change {
	var c change
	if u.tags.changes() {
		c.tags = index.TagChange{Exactly: true, Add: u.tags.back(record.Tags)}
	}
	if u.before != nil {
		c.given.To = *u.before
	}
	var after index.Given
	if u.after != nil {
		after = *u.after
	}
	for member := index.GivenMembers(1); member <= u.set; member <<= 1 {
		if u.set&member == 0 {
			continue
		}
		if ours := (index.GivenChange{Set: member, To: after}); ours.Apply(record.Given).Equal(record.Given) {
			c.given.Set |= member
		}
	}
	var now index.Given
	if record.Given != nil {
		now = *record.Given
	}
	if u.collections.changes() {
		c.given.Set, c.given.To.Collections = c.given.Set|index.GivenCollections, u.collections.back(now.Collections)
	}
	if u.people.changes() {
		c.given.Set, c.given.To.People = c.given.Set|index.GivenPeople, u.people.back(now.People)
	}
	return c
}
