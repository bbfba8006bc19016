package listing

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/singleflight"

	"mekiki/index"
	"mekiki/internal/flight"
)

// Lists keeps the lists that were asked for last, in order and in full, so that
// a page further down a long one costs no sorting. A list holds for one state of
// the library. Safe for concurrent use.
type Lists struct {
	// making lets those who ask for one list at a time make it once.
	making singleflight.Group

	mutex sync.Mutex
	kept  []list // the last used first
}

type list struct {
	key     string
	records []*index.Record
}

// All gives every record that passes the filter, in order. The result is shared
// and not to be changed.
func (l *Lists) All(ctx context.Context, reader index.Reader, filter index.Filter, order index.Order) ([]*index.Record, error) {
	described, err := json.Marshal(filter)
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	key := fmt.Sprintf("%d %d %s", reader.Sequence(), order, described)
	if records, found := l.get(key); found {
		return records, nil
	}
	records, err := flight.Do(ctx, &l.making, key, func() ([]*index.Record, error) {
		if records, found := l.get(key); found {
			return records, nil // it was finished between the two looks
		}
		records, _, err := reader.List(ctx, filter, index.Page{Order: order})
		if err == nil {
			l.keep(list{key, records})
		}
		return records, err
	})
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	return records, nil
}

func (l *Lists) keep(made list) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.kept = slices.Insert(l.kept, 0, made)
	l.kept = slices.Delete(l.kept, min(len(l.kept), maxKept), len(l.kept))
}

func (l *Lists) get(key string) ([]*index.Record, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	i := slices.IndexFunc(l.kept, func(known list) bool { return known.key == key })
	if i < 0 {
		return nil, false
	}
	found := l.kept[i]
	l.kept = slices.Insert(slices.Delete(l.kept, i, i+1), 0, found)
	return found.records, true
}
