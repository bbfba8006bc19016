package facets

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/index/filters"
	"mekiki/index/keyword"
)

// Query says which counts to give.
type Query struct {
	// Of names the facets; none means all.
	Of []string
	// Under gives the values below this one, in place of the topmost. It needs one facet, a tree.
	Under string
	// Find gives the values in which a word begins with this, of all levels, in place of a tree. It needs one facet.
	Find string
	// Depth is how many levels of a tree are given, 1 to [MaximumDepth]; 0 means 1.
	Depth int
	// Limit bounds the values of a level, 1 to [MaximumValues]; 0 means [DefaultValues].
	Limit int
}

// Facet is the values of one filter.
type Facet struct {
	// Name names the facet, Filter the parameter of the filter that takes its values; dates have two.
	Name   string `json:"name"`
	Filter string `json:"filter"`
	// Tree says that there are levels.
	Tree bool `json:"tree"`
	// Values are in order; never nil.
	Values []Value `json:"values"`
	// LeftOut is the number of values beyond the limit.
	LeftOut int `json:"left_out"`
	// Unknown is the number of records that have no value.
	Unknown int `json:"unknown"`
}

// Value is one value.
type Value struct {
	// Value is what the filter takes, and Name its last level.
	Value string `json:"value"`
	Name  string `json:"name"`
	// Count is the number of records that have it, or one of a level below, and Own that of those that have
	// itself.
	Count int `json:"count"`
	Own   int `json:"own"`
	// Below is the number of values of the next level.
	Below int `json:"below"`
	// Values are those of the next level, as far as they were asked for, and LeftOut is how many more there are.
	Values  []Value `json:"values,omitempty"`
	LeftOut int     `json:"left_out,omitempty"`
}

// Names lists the facets, in the order of the table of filters.
func Names() []string {
	var names []string
	for _, field := range filters.Fields() {
		if field.Counted != nil {
			names = append(names, field.Counted.Facet)
		}
	}
	return names
}

// OptionError is a part of a query that is wrong.
type OptionError struct{ Option, Problem, Remedy string }

// Error implements error.
func (e *OptionError) Error() string { return e.Option + ": " + e.Problem }

// Hint says what to write instead.
func (e *OptionError) Hint() string { return e.Remedy }

// Check refuses what cannot be given.
func (q Query) Check() error {
	for _, name := range q.Of {
		if !slices.Contains(Names(), name) {
			return &OptionError{"of", fmt.Sprintf("there are no counts called %q", name), "use " + strings.Join(Names(), ", ")}
		}
	}
	switch {
	case q.Under != "" && q.Find != "":
		return &OptionError{"find", "it looks through all levels", "leave out one of under and find"}
	case q.Under != "" && len(q.Of) != 1:
		return &OptionError{"under", "it needs one facet", "name one, as in of=folders"}
	case q.Find != "" && len(q.Of) != 1:
		return &OptionError{"find", "it needs one facet", "name one, as in of=folders"}
	case len(q.Find) > MaximumFind:
		return &OptionError{"find", fmt.Sprintf("it is longer than %d bytes", MaximumFind), "shorten it"}
	case q.Depth < 0 || q.Depth > MaximumDepth:
		return &OptionError{"depth", fmt.Sprintf("%d is out of range", q.Depth), fmt.Sprintf("give 1 to %d", MaximumDepth)}
	case q.Limit < 0 || q.Limit > MaximumValues:
		return &OptionError{"limit", fmt.Sprintf("%d is out of range", q.Limit), fmt.Sprintf("give 1 to %d", MaximumValues)}
	}
	return nil
}

// Select gives the counts that a query asks for, which passes [Query.Check].
func (c *Counts) Select(q Query) []Facet {
	if q.Depth == 0 {
		q.Depth = 1
	}
	if q.Limit == 0 {
		q.Limit = DefaultValues
	}
	list := []Facet{}
	for _, facet := range c.facets {
		if len(q.Of) > 0 && !slices.Contains(q.Of, facet.how.Facet) {
			continue
		}
		shown := Facet{Name: facet.how.Facet, Filter: facet.field.Parameter, Tree: facet.how.Above != nil, Unknown: c.total - facet.known}
		switch {
		case q.Find != "":
			shown.Values, shown.LeftOut = facet.shown(facet.find(q.Find), 0, q.Limit)
		case q.Under != "":
			var level []*node
			if n := facet.values[facet.how.Fold(q.Under)]; n != nil {
				level = n.below
			}
			shown.Values, shown.LeftOut = facet.shown(level, q.Depth-1, q.Limit)
		default:
			shown.Values, shown.LeftOut = facet.shown(facet.topmost(), q.Depth-1, q.Limit)
		}
		list = append(list, shown)
	}
	return list
}

// topmost gives the first level of a tree at which there is something to choose: folders mostly share the
// first levels of their paths, in which no picture lies.
func (f *counted) topmost() []*node {
	level := f.top
	for f.how.SkipsSingle && len(level) == 1 && level[0].own == 0 && len(level[0].below) > 0 {
		level = level[0].below
	}
	return level
}

// find gives the values in which a word begins with a text, the most frequent first. A text with a slash is
// looked for in whole paths.
func (f *counted) find(text string) []*node {
	wanted := keyword.Fold(text)
	seen := map[*node]bool{}
	var found []*node
	for _, n := range f.values {
		if seen[n] {
			continue
		}
		seen[n] = true
		name := f.nameOf(n)
		if strings.ContainsAny(text, `/\`) {
			name = n.value
		}
		if slices.ContainsFunc(keyword.Beginnings(filepath.ToSlash(name)), func(beginning string) bool {
			return strings.HasPrefix(beginning, filepath.ToSlash(wanted))
		}) {
			found = append(found, n)
		}
	}
	slices.SortFunc(found, f.compare)
	return found
}

// shown gives values with so many levels below them, and how many are left out.
func (f *counted) shown(level []*node, deeper, limit int) (values []Value, leftOut int) {
	values = make([]Value, 0, min(len(level), limit))
	for _, n := range level[:min(len(level), limit)] {
		value := Value{Value: n.value, Name: f.nameOf(n), Count: n.count, Own: n.own, Below: len(n.below)}
		if deeper > 0 && len(n.below) > 0 {
			value.Values, value.LeftOut = f.shown(n.below, deeper-1, limit)
		}
		values = append(values, value)
	}
	return values, len(level) - len(values)
}

// nameOf gives the last level of a value.
func (f *counted) nameOf(n *node) string {
	if f.how.Last == nil {
		return n.value
	}
	return f.how.Last(n.value)
}
