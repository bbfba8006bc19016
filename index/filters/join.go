package filters

import (
	"context"

	"slices"
	"time"

	"mekiki/index"
)

// joinLists takes the list that there is. Two different ones cannot be joined: a record
// must have something of each.
func joinLists[T comparable](of func(*index.Filter) *[]T) func(a *index.Filter, b index.Filter) bool {
	return func(a *index.Filter, b index.Filter) bool {
		list, other := of(a), *of(&b)
		switch {
		case len(*list) == 0:
			*list = other
		case len(other) > 0:
			return slices.Equal(*list, other)
		}
		return true
	}
}

// joinPointers takes the value that there is.
func joinPointers[T comparable](of func(*index.Filter) **T) func(a *index.Filter, b index.Filter) bool {
	return func(a *index.Filter, b index.Filter) bool {
		value, other := of(a), *of(&b)
		switch {
		case *value == nil:
			*value = other
		case other != nil:
			return **value == *other
		}
		return true
	}
}

// joinChoices takes the choice that is made, and the narrower of two.
func joinChoices(of func(*index.Filter) *index.Choice) func(a *index.Filter, b index.Filter) bool {
	return func(a *index.Filter, b index.Filter) bool {
		*of(a) = max(*of(a), *of(&b))
		return true
	}
}

// joinBounds makes a bound the stricter of itself and another. It reports false when
// neither is: one means a moment, and the other what a clock showed, or a moment in
// another zone, which a clock of an unknown zone is taken to have been in.
func joinBounds(bound *time.Time, zoned *bool, other time.Time, otherZoned bool, stricter func(a, b time.Time) bool) bool {
	switch {
	case other.IsZero():
	case bound.IsZero():
		*bound, *zoned = other, otherZoned
	case *zoned != otherZoned, *zoned && offsetOf(*bound) != offsetOf(other):
		return false
	case stricter(other, *bound):
		*bound = other
	}
	return true
}

// offsetOf is how many seconds a time's zone is ahead of UTC.
func offsetOf(t time.Time) int {
	_, seconds := t.Zone()
	return seconds
}

func joinIDs(a *index.Filter, b index.Filter) bool {
	switch {
	case len(a.IDs) == 0:
		a.IDs = b.IDs
	case len(b.IDs) > 0:
		*a = OnlyIDs(*a, b.IDs)
	}
	return true
}

// OnlyIDs narrows a filter to some records.
func OnlyIDs(filter index.Filter, ids []index.ID) index.Filter {
	if len(filter.IDs) > 0 {
		known := make(map[index.ID]bool, len(filter.IDs))
		for _, id := range filter.IDs {
			known[id] = true
		}
		ids = slices.DeleteFunc(slices.Clone(ids), func(id index.ID) bool { return !known[id] })
	}
	if len(ids) == 0 {
		ids = []index.ID{0} // no record has it; an empty list would pass all
	}
	filter.IDs = ids
	return filter
}

// Both gives a filter that passes what passes two, over a reader's records: where no single filter says it, the second one is
// turned into the records that pass it.
func Both(ctx context.Context, reader index.Reader, a, b index.Filter) (index.Filter, error) {
	if joined, ok := Join(a, b); ok {
		return joined, nil
	}
	records, _, err := reader.List(ctx, b, index.Page{})
	if err != nil {
		return index.Filter{}, err
	}
	return OnlyIDs(a, index.IDs(records)), nil
}
