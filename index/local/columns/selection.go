package columns

import (
	"context"
	"encoding/json"
	"runtime"
	"sync/atomic"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/local/catalog"
	"mekiki/internal/bitset"
	"mekiki/internal/flight"
	"mekiki/internal/lru"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
)

// selections remembers which records pass the latest filters.
type selections struct {
	kept   *lru.Cache[string, bitset.Set]
	making singleflight.Group
}

// Select gives the records that pass a filter, each looked at once, however many ask at a time. m is the filter as
// [Table.Compile] gives it.
func (t *Table) Select(ctx context.Context, filter index.Filter, m *filters.Matcher) (bitset.Set, error) {
	key := filterKey(filter)
	if key == "" || len(key) > maximumKey {
		return t.selected(ctx, m)
	}
	if known, there := t.selections.kept.Get(key); there {
		return known, nil
	}
	return flight.Do(ctx, &t.selections.making, key, func() (bitset.Set, error) {
		if known, there := t.selections.kept.Get(key); there {
			return known, nil // it was finished between the two looks
		}
		set, err := t.selected(ctx, m)
		if err == nil {
			t.selections.kept.Put(key, set, 1)
		}
		return set, err
	})
}

// selected looks at all pages, several at a time.
func (t *Table) selected(ctx context.Context, m *filters.Matcher) (bitset.Set, error) {
	set := bitset.New(uint64(len(t.pages)) * catalog.PageSize)
	add := func(p *Page, slots []uint8) {
		for _, slot := range slots {
			set.Add(uint64(p.first) + uint64(slot)) // pages have words of their own
		}
	}
	if m == nil || m.IDs != nil {
		return set, t.scan(ctx, m, add)
	}
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(t.pages)/pagesAtOnce+1) {
		group.Go(func() error {
			a := newAsking(m.Clone())
			for {
				from := int(next.Add(pagesAtOnce)) - pagesAtOnce
				if from >= len(t.pages) || ctx.Err() != nil {
					return ctx.Err()
				}
				for _, p := range t.pages[from:min(from+pagesAtOnce, len(t.pages))] {
					if p != nil {
						add(p, a.matching(p))
					}
				}
			}
		})
	}
	return set, group.Wait()
}

// filterKey tells filters apart: it has every field, whatever fields there are. A filter
// that JSON cannot say, such as one of a year beyond 9999, has no key and is not remembered.
func filterKey(f index.Filter) string {
	key, err := json.Marshal(f)
	if err != nil {
		return ""
	}
	return string(key)
}
