package search

import (
	"context"
	"math"
	"slices"
	"time"

	"mekiki/index"
)

// validateFilter refuses what no record could pass.
func validateFilter(f index.Filter) error {
	if near := f.Near; near != nil {
		ok := math.Abs(near.Latitude) <= 90 && math.Abs(near.Longitude) <= 180 && near.Kilometres > 0 && !math.IsInf(near.Kilometres, 0)
		if !ok {
			return invalidOption("filter.near", "give degrees north, degrees east and a distance above 0", "there is no such place on the earth")
		}
	}
	if !f.After.IsZero() && !f.Before.IsZero() && f.AfterZoned == f.BeforeZoned && !f.After.Before(f.Before) {
		return &Error{
			Code: CodeInvalidDate, Field: "filter.before", Message: "no date lies between after and before",
			Remedy: "after is the first moment wanted, before the first one no longer wanted",
		}
	}
	return nil
}

// joinFilters gives a filter that holds where both hold. It reports false when
// no single filter does: both name folders, say.
func joinFilters(a, b index.Filter) (index.Filter, bool) {
	joined, ok := a, true
	list := func(target *[]string, other []string) {
		switch {
		case len(*target) == 0:
			*target = other
		case len(other) > 0 && !slices.Equal(*target, other):
			ok = false
		}
	}
	list(&joined.Folders, b.Folders)
	list(&joined.Cameras, b.Cameras)
	list(&joined.Tags, b.Tags)
	list(&joined.Formats, b.Formats)
	list(&joined.People, b.People)
	if len(a.Ratings) == 0 {
		joined.Ratings = b.Ratings
	} else if len(b.Ratings) > 0 && !slices.Equal(a.Ratings, b.Ratings) {
		ok = false
	}
	if a.Taken == nil {
		joined.Taken = b.Taken
	} else if b.Taken != nil && *a.Taken != *b.Taken {
		ok = false
	}
	if joinBounds(&joined.After, &joined.AfterZoned, b.After, b.AfterZoned, time.Time.After) {
		ok = false
	}
	if joinBounds(&joined.Before, &joined.BeforeZoned, b.Before, b.BeforeZoned, time.Time.Before) {
		ok = false
	}
	if len(a.Kinds) == 0 {
		joined.Kinds = b.Kinds
	}
	if a.Near == nil {
		joined.Near = b.Near
	} else if b.Near != nil && *a.Near != *b.Near {
		ok = false
	}
	if len(a.IDs) == 0 {
		joined.IDs = b.IDs
	} else if len(b.IDs) > 0 {
		joined.IDs = commonIDs(a.IDs, b.IDs)
		if len(joined.IDs) == 0 {
			joined.IDs = []index.ID{0} // no record has it
		}
	}
	return joined, ok
}

// joinBounds makes a bound the stricter of itself and another. It reports true when
// neither is: one means a moment, and the other what a clock showed, or a moment in
// another zone, which a clock of an unknown zone is taken to have been in.
func joinBounds(bound *time.Time, zoned *bool, other time.Time, otherZoned bool, stricter func(a, b time.Time) bool) (apart bool) {
	switch {
	case other.IsZero():
	case bound.IsZero():
		*bound, *zoned = other, otherZoned
	case *zoned != otherZoned, *zoned && offsetOf(*bound) != offsetOf(other):
		return true
	case stricter(other, *bound):
		*bound = other
	}
	return false
}

// offsetOf is how many seconds a time's zone is ahead of UTC.
func offsetOf(t time.Time) int {
	_, seconds := t.Zone()
	return seconds
}

func commonIDs(a, b []index.ID) []index.ID {
	known := make(map[index.ID]bool, len(a))
	for _, id := range a {
		known[id] = true
	}
	var common []index.ID
	for _, id := range b {
		if known[id] {
			common = append(common, id)
		}
	}
	return common
}

// resolveFilter gives the filter of a plan over a snapshot. Where no single
// filter says it, the second one is turned into the records that pass it.
func resolveFilter(ctx context.Context, snapshot index.Reader, p *plan) (index.Filter, error) {
	if p.also == nil {
		return p.filter, nil
	}
	if joined, ok := joinFilters(p.filter, *p.also); ok {
		return joined, nil
	}
	records, _, err := snapshot.List(ctx, *p.also, index.Page{})
	if err != nil {
		return index.Filter{}, err
	}
	ids := make([]index.ID, len(records))
	for i, record := range records {
		ids[i] = record.ID
	}
	return onlyIDs(p.filter, ids), nil
}

// onlyIDs narrows a filter to some records.
func onlyIDs(filter index.Filter, ids []index.ID) index.Filter {
	if len(filter.IDs) > 0 {
		ids = commonIDs(filter.IDs, ids)
	}
	if len(ids) == 0 {
		ids = []index.ID{0} // no record has it; an empty list would pass all
	}
	filter.IDs = ids
	return filter
}
