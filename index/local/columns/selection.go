package columns

import (
	"context"
	"encoding/json"
	"sync"

	"mekiki/index"
	"mekiki/index/local/catalog"
)

// Set is a set of record IDs, one bit for each.
type Set []uint64

// Has reports whether it is in there.
func (s Set) Has(id uint64) bool {
	word := id >> 6
	return word < uint64(len(s)) && s[word]>>(id&63)&1 == 1
}

func (s Set) add(id index.ID) { s[id>>6] |= 1 << (id & 63) }

// keptFilters is the number of filters whose records are remembered: the legs of a
// search, its pages and the searches after it mostly have the same one.
const keptFilters = 8

// maximumKey is the length of the longest filter that is remembered.
const maximumKey = 4096

// selectionCache remembers which records pass the latest filters.
type selectionCache struct {
	mutex sync.Mutex
	sets  map[string]Set
	order []string
}

// Select gives the records that pass a filter, each looked at once.
func (t *Table) Select(ctx context.Context, filter index.Filter) (Set, error) {
	cache, key := &t.filters, filterKey(filter)
	cache.mutex.Lock()
	known, there := cache.sets[key]
	cache.mutex.Unlock()
	if there {
		return known, nil
	}
	set := make(Set, len(t.pages)*catalog.PageSize/64)
	err := t.scan(ctx, t.Compile(filter), func(p *Page, slots []uint8) {
		for _, slot := range slots {
			set.add(p.first + index.ID(slot))
		}
	})
	if err != nil {
		return nil, err
	}
	cache.keep(key, set)
	return set, nil
}

// keep remembers a filter's records in place of the longest known.
func (c *selectionCache) keep(key string, set Set) {
	if key == "" || len(key) > maximumKey {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if _, there := c.sets[key]; there {
		return
	}
	if len(c.order) == keptFilters {
		delete(c.sets, c.order[0])
		c.order = c.order[1:]
	}
	if c.sets == nil {
		c.sets = map[string]Set{}
	}
	c.sets[key] = set
	c.order = append(c.order, key)
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
