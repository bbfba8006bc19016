package excerpt

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"mekiki/index"
)

// shownKey names an excerpt of one state of a library.
type shownKey struct {
	sequence uint64
	terms    Terms
}

// shown is what an excerpt shows: the IDs of images, ascending. It never changes.
type shown struct {
	ids      []index.ID
	sequence uint64
}

// shownBy gives what terms show of a reader's library, from memory where it can.
func (s *source) shownBy(ctx context.Context, reader index.Reader, terms Terms) (*shown, error) {
	key := shownKey{reader.Sequence(), terms}
	if known, found := s.shown.Get(key); found {
		return known, nil
	}
	records, err := Pictures(ctx, reader, terms.Collection)
	if err != nil {
		return nil, fmt.Errorf("list the collection that is shown: %w", err)
	}
	ids := index.IDs(records)
	slices.Sort(ids)
	found := &shown{ids, sequenceOf(key)}
	s.shown.Put(key, found, 1)
	return found, nil
}

// Pictures gives the pictures of a collection, but for those that are hidden or in the trash. Filters do not tell names apart
// that differ by accents, such as "Côte" and "Cote"; this does, and ignores case alone.
func Pictures(ctx context.Context, reader index.Reader, collection string) ([]*index.Record, error) {
	records, _, err := reader.List(ctx, index.Filter{Kinds: []index.Kind{index.KindImage}, Collections: []string{collection}}, index.Page{})
	isOther := func(record *index.Record) bool {
		return !slices.ContainsFunc(record.Collections(), func(name string) bool { return strings.EqualFold(name, collection) })
	}
	return slices.DeleteFunc(slices.Clone(records), isOther), err
}

// sequenceOf stands for the contents of an excerpt: what is remembered of a commit must not be taken for what is remembered of
// its excerpt. It has 53 bits with the highest one set, so that JSON's numbers hold it and no commit of a library has it.
func sequenceOf(key shownKey) uint64 {
	hash := fnv.New64a()
	var number [9]byte
	binary.LittleEndian.PutUint64(number[:], key.sequence)
	if key.terms.Details {
		number[8] = 1
	}
	hash.Write(number[:])
	hash.Write([]byte(key.terms.Collection))
	return 1<<52 | hash.Sum64()>>12
}

// has reports whether a record is shown.
func (s *shown) has(id index.ID) bool {
	_, found := slices.BinarySearch(s.ids, id)
	return found
}

// of gives those of some records that are shown.
func (s *shown) of(ids []index.ID) []index.ID {
	return slices.DeleteFunc(slices.Clone(ids), func(id index.ID) bool { return !s.has(id) })
}

// narrow makes a filter pass nothing but what is shown. It reports false when nothing can pass: also where the filter asks about
// details that are not shown, which its answer would tell.
func (s *shown) narrow(filter index.Filter, terms Terms) (index.Filter, bool) {
	never := len(filter.Folders) > 0 || filter.Favourite != nil
	if never || !terms.Details && asksForDetails(filter) || filter.Collections != nil && !slices.Contains(filter.Collections, terms.Collection) {
		return filter, false
	}
	if len(filter.IDs) == 0 {
		filter.IDs = s.ids
	} else {
		filter.IDs = s.of(filter.IDs)
	}
	if !terms.Details { // where a clock stood is one
		filter.After, filter.AfterZoned = clockOf(filter.After, filter.AfterZoned), false
		filter.Before, filter.BeforeZoned = clockOf(filter.Before, filter.BeforeZoned), false
	}
	// What is hidden or in the trash is not among the IDs.
	filter.Hidden, filter.Trash = index.ChoiceExclude, index.ChoiceExclude
	filter.Collections = nil
	return filter, len(filter.IDs) > 0
}

// clockOf gives what a clock shows at a bound: that of the bound's own zone where it has one, as for pictures of which nobody
// knows the zone.
func clockOf(bound time.Time, zoned bool) time.Time {
	if !zoned || bound.IsZero() {
		return bound
	}
	_, offset := bound.Zone()
	return bound.UTC().Add(time.Duration(offset) * time.Second)
}

// asksForDetails reports whether a filter asks for more than dates, sizes, formats and ids. It copies what may be asked and
// looks whether anything is left, so that a filter to come is a detail.
func asksForDetails(filter index.Filter) bool {
	filter.Kinds, filter.Formats, filter.Sizes, filter.IDs, filter.Collections = nil, nil, nil, nil, nil
	filter.After, filter.Before, filter.Taken = time.Time{}, time.Time{}, nil
	filter.Hidden, filter.Trash = index.ChoiceExclude, index.ChoiceExclude
	return !filter.IsZero()
}
