package facets

import (
	"cmp"
	"context"
	"slices"

	"mekiki/index"
	"mekiki/index/filters"
)

// Counts are records counted by every filter that is counted. They do not change.
type Counts struct {
	total  int
	facets []*counted
}

// counted is one filter's values.
type counted struct {
	how   *filters.Counted
	field filters.Field
	// known is the number of records that have a value.
	known  int
	top    []*node
	had    []string         // the values of the record that is counted
	values map[string]*node // by value as it was first met, and by folded value
}

// node is a value, with those of the levels below.
type node struct {
	value  string
	folded string
	above  *node
	below  []*node
	// count is the number of records that have this value or one below, and own of those that have this one.
	count, own int
	// last and lastOwn are the numbers of the groups that were counted last, so that none counts twice.
	last, lastOwn int
}

// Group is a record, and how many there are that have the same values of a facet, itself included.
type Group struct {
	Record *index.Record
	Count  int
}

// Groups are records by what they have in common.
type Groups struct {
	// Total is the number of records.
	Total int
	// Of has the groups of each facet, by its name. Each record is in one group of each. They are in the order in which their values
	// are met first: values that differ in case alone are shown as in the first of them.
	Of map[string][]Group
}

// Grouper is implemented by readers that know which records have the same values, and so need not look at each.
type Grouper interface {
	// FacetGroups groups the records that pass a filter.
	FacetGroups(ctx context.Context, filter index.Filter) (Groups, error)
}

// Count counts records. Nil ones are left out.
func Count(ctx context.Context, records []*index.Record) (*Counts, error) {
	counts := newCounts()
	for number, record := range records {
		if number%checkInterval == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if record == nil {
			continue
		}
		counts.total++
		for _, facet := range counts.facets {
			facet.add(Group{record, 1}, number+1)
		}
	}
	counts.finish()
	return counts, nil
}

// CountGroups is Count of records that were grouped.
func CountGroups(ctx context.Context, groups Groups) (*Counts, error) {
	counts := newCounts()
	counts.total = groups.Total
	for _, facet := range counts.facets {
		for number, group := range groups.Of[facet.how.Facet] {
			if number%checkInterval == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			facet.add(group, number+1)
		}
	}
	counts.finish()
	return counts, nil
}

func newCounts() *Counts {
	counts := &Counts{}
	for _, field := range filters.Fields() {
		if field.Counted != nil {
			counts.facets = append(counts.facets, &counted{how: field.Counted, field: field, values: map[string]*node{}})
		}
	}
	return counts
}

// finish puts all values in order.
func (c *Counts) finish() {
	for _, facet := range c.facets {
		facet.sort(facet.top)
		facet.had = nil
	}
}

// Total is the number of records.
func (c *Counts) Total() int { return c.total }

// add counts the records of a group for their values and all levels above them.
func (f *counted) add(group Group, number int) {
	has := false
	f.had = f.how.Add(f.had[:0], group.Record)
	for _, value := range f.had {
		if value == "" {
			continue
		}
		n := f.node(value)
		has = true
		if n.lastOwn != number {
			n.own, n.lastOwn = n.own+group.Count, number
		}
		for ; n != nil && n.last != number; n = n.above {
			n.count, n.last = n.count+group.Count, number
		}
	}
	if has {
		f.known += group.Count
	}
}

// node gives a value's place in the tree, and makes it where there is none.
func (f *counted) node(value string) *node {
	if found := f.values[value]; found != nil {
		return found
	}
	// From the value up to the first level that there is.
	var missing []string
	var above *node
	for level := value; level != "" && len(missing) < deepest; {
		if above = f.values[f.how.Fold(level)]; above != nil {
			break
		}
		missing = append(missing, level)
		next := ""
		if f.how.Above != nil {
			next = f.how.Above(level)
		}
		if len(next) >= len(level) {
			break
		}
		level = next
	}
	for _, level := range slices.Backward(missing) {
		folded := f.how.Fold(level)
		if same := f.values[folded]; same != nil { // a level that folding makes equal to the one above it
			above = same
			continue
		}
		made := &node{value: level, folded: folded, above: above}
		if above == nil {
			f.top = append(f.top, made)
		} else {
			above.below = append(above.below, made)
		}
		f.values[folded] = made
		above = made
	}
	f.values[value] = above
	return above
}

// sort puts each level in its order.
func (f *counted) sort(level []*node) {
	slices.SortFunc(level, f.compare)
	for _, n := range level {
		f.sort(n.below)
	}
}

// compare puts first what the filter's table does, or the most frequent.
func (f *counted) compare(a, b *node) int {
	if f.how.Compare != nil {
		return cmp.Or(f.how.Compare(a.value, b.value), cmp.Compare(a.folded, b.folded))
	}
	return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.folded, b.folded))
}
