package local

import (
	"context"
	"encoding/json"
	"mekiki/index"
	"sync"
)

// idSet is a set of record IDs, one bit for each.
type idSet []uint64

func (s idSet) has(id uint64) bool {
	word := id >> 6
	return word < uint64(len(s)) && s[word]>>(id&63)&1 == 1
}

func (s idSet) add(id index.ID) { s[id>>6] |= 1 << (id & 63) }

// keptFilters is the number of filters whose records a view remembers: the legs
// of a search, its pages and the searches after it mostly have the same one.
const keptFilters = 8

// maximumKey is the length of the longest filter that is remembered.
const maximumKey = 4096

// filterCache remembers which records pass the latest filters.
type filterCache struct {
	mutex sync.Mutex
	sets  map[string]idSet
	order []string
}

// allowed gives the records that pass a filter, each looked at once.
func (s *Snapshot) allowed(ctx context.Context, filter index.Filter) (idSet, error) {
	cache, key := &s.view.filters, filterKey(filter)
	cache.mutex.Lock()
	known, there := cache.sets[key]
	cache.mutex.Unlock()
	if there {
		return known, nil
	}
	set := make(idSet, uint64(s.view.state.nextID)>>6+1)
	err := s.eachPage(ctx, newMatcher(filter), func(first index.ID, _ *page[*index.Record], slots []uint8) {
		for _, slot := range slots {
			set.add(first + index.ID(slot))
		}
	})
	if err != nil {
		return nil, err
	}
	if key == "" || len(key) > maximumKey {
		return set, nil
	}
	cache.mutex.Lock()
	defer cache.mutex.Unlock()
	if _, there := cache.sets[key]; there {
		return set, nil
	}
	if len(cache.order) == keptFilters {
		delete(cache.sets, cache.order[0])
		cache.order = cache.order[1:]
	}
	if cache.sets == nil {
		cache.sets = map[string]idSet{}
	}
	cache.sets[key] = set
	cache.order = append(cache.order, key)
	return set, nil
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
