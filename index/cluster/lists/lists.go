// Package lists gives pages of the lists that the engine of a library on a cluster cannot put in order. For them all records that
// pass have to be read; where each stands is remembered, so that further pages read no others than their own.
package lists

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"sort"
	"time"

	"golang.org/x/sync/singleflight"

	"mekiki/index"
	"mekiki/internal/flight"
	"mekiki/internal/lru"
)

// Source has the records of a list as they are whenever they are asked for.
type Source struct {
	// Passing goes through those that pass the filter, in no order. An error ends it.
	Passing iter.Seq2[*index.Record, error]
	// Records gives records by ID, nil for those that there are not.
	Records func(ctx context.Context, ids []index.ID) ([]*index.Record, error)
}

// Lists remembers the lists that were asked for last. Safe for concurrent use.
type Lists struct {
	now func() time.Time
	// making lets those who ask for one list at a time make it once.
	making singleflight.Group
	kept   *lru.Cache[string, list]
}

// list is never changed.
type list struct {
	places []index.Place // in order
	made   time.Time
}

// New remembers no list yet. Now is the clock.
func New(now func() time.Time) *Lists {
	return &Lists{now: now, kept: lru.New[string, list](keptLists)}
}

// Page gives a page of the records that pass a filter, and how many pass in all. State names the contents of the source: lists that
// were made of other contents are of no use. A record that is gone although the state is the same is left out, and the page goes
// on behind it, so that only the last page is short.
func (l *Lists) Page(ctx context.Context, state string, source Source, filter index.Filter, page index.Page) ([]*index.Record, int, error) {
	places, err := l.places(ctx, state, source, filter, page.Order)
	if err != nil {
		return nil, 0, err
	}
	total := len(places)
	places = rest(places, page, func(place index.Place) index.Place { return place })
	var found []*index.Record
	for len(places) > 0 && (page.Limit == 0 || len(found) < page.Limit) {
		wanted := len(places)
		if page.Limit > 0 {
			wanted = min(wanted, page.Limit-len(found))
		}
		ids := make([]index.ID, wanted)
		for i, place := range places[:wanted] {
			ids[i] = place.ID
		}
		records, err := source.Records(ctx, ids)
		if err != nil {
			return nil, 0, err
		}
		for _, record := range records {
			if record != nil {
				found = append(found, record)
			}
		}
		places = places[wanted:]
	}
	return found, total, nil
}

// places gives where all records that pass a filter stand, in order.
func (l *Lists) places(ctx context.Context, state string, source Source, filter index.Filter, order index.Order) ([]index.Place, error) {
	described, err := json.Marshal(filter)
	if err != nil {
		return read(source, order) // JSON knows no year beyond 9999
	}
	key := fmt.Sprintf("%s %d %x", state, order, sha256.Sum256(described))
	if known, found := l.get(key); found {
		return known, nil
	}
	return flight.Do(ctx, &l.making, key, func() ([]index.Place, error) {
		if known, found := l.get(key); found {
			return known, nil // it was finished between the two looks
		}
		made := l.now()
		places, err := read(source, order)
		if err == nil && len(places) >= keptFrom {
			l.kept.Put(key, list{places, made}, 1)
		}
		return places, err
	})
}

func (l *Lists) get(key string) ([]index.Place, bool) {
	known, found := l.kept.Get(key)
	return known.places, found && l.now().Sub(known.made) < keptFor
}

func read(source Source, order index.Order) ([]index.Place, error) {
	var places []index.Place
	for record, err := range source.Passing {
		if err != nil {
			return nil, err
		}
		places = append(places, index.PlaceOf(record))
	}
	slices.SortFunc(places, order.Compare)
	return places, nil
}

// rest gives what stands in a list where a page begins and behind.
func rest[T any](list []T, page index.Page, placeOf func(T) index.Place) []T {
	if page.Behind != nil {
		list = list[sort.Search(len(list), func(i int) bool { return page.Order.Compare(placeOf(list[i]), *page.Behind) > 0 }):]
	}
	return list[min(max(page.Offset, 0), len(list)):]
}

// Sort puts records in order.
func Sort(records []*index.Record, order index.Order) {
	slices.SortFunc(records, func(a, b *index.Record) int { return order.Compare(index.PlaceOf(a), index.PlaceOf(b)) })
}

// Cut puts records in order and gives those of a page.
func Cut(records []*index.Record, page index.Page) []*index.Record {
	Sort(records, page.Order)
	records = rest(records, page, index.PlaceOf)
	if page.Limit > 0 {
		records = records[:min(page.Limit, len(records))]
	}
	return records
}
