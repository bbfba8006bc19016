package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"mekiki/index"
)

// keptListings is how many lists are kept: a list of a million records takes 8 MB.
const keptListings = 3

// listings keeps the lists that were asked for last, in order and in full, so that
// a page further down a long one costs no sorting. A list holds for one state of
// the library. Safe for concurrent use.
type listings struct {
	mutex sync.Mutex
	kept  []listing // the last used first
}

type listing struct {
	key     string
	records []*index.Record
}

// list gives every record that passes the filter, in order. The result is shared
// and not to be changed.
func (l *listings) list(ctx context.Context, snapshot Snapshot, filter index.Filter, order index.Order) ([]*index.Record, error) {
	described, err := json.Marshal(filter)
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	key := fmt.Sprintf("%d %d %s", snapshot.Sequence(), order, described)
	if records, found := l.get(key); found {
		return records, nil
	}
	records, _, err := snapshot.Records(ctx, filter, index.Page{Order: order})
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.kept = slices.Insert(l.kept, 0, listing{key, records})
	l.kept = slices.Delete(l.kept, min(len(l.kept), keptListings), len(l.kept))
	return records, nil
}

func (l *listings) get(key string) ([]*index.Record, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	i := slices.IndexFunc(l.kept, func(known listing) bool { return known.key == key })
	if i < 0 {
		return nil, false
	}
	found := l.kept[i]
	l.kept = slices.Insert(slices.Delete(l.kept, i, i+1), 0, found)
	return found.records, true
}
