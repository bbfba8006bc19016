// Package lru keeps the values used last.
package lru

import (
	"container/list"
	"sync"
)

// Cache keeps the entries used last, as many as their costs allow. It is safe
// for concurrent use. A capacity of zero or less keeps nothing.
type Cache[K comparable, V any] struct {
	mutex    sync.Mutex
	capacity int64
	used     int64
	order    *list.List // of *entry[K, V], the last used first
	entries  map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	value V
	cost  int64
}

// New makes a Cache whose entries may cost a capacity together.
func New[K comparable, V any](capacity int64) *Cache[K, V] {
	return &Cache[K, V]{capacity: capacity, order: list.New(), entries: map[K]*list.Element{}}
}

// Get gives the value of a key and makes it the last used.
func (l *Cache[K, V]) Get(key K) (V, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if element, ok := l.entries[key]; ok {
		l.order.MoveToFront(element)
		return element.Value.(*entry[K, V]).value, true
	}
	var none V
	return none, false
}

// Put keeps a value at a cost, unless it alone is over the capacity.
func (l *Cache[K, V]) Put(key K, value V, cost int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if element, ok := l.entries[key]; ok {
		l.remove(element)
	}
	if cost > l.capacity {
		return
	}
	l.entries[key] = l.order.PushFront(&entry[K, V]{key: key, value: value, cost: cost})
	l.used += cost
	for l.used > l.capacity {
		l.remove(l.order.Back())
	}
}

// RemoveAll removes the entries whose keys are of no use any more.
func (l *Cache[K, V]) RemoveAll(useless func(key K) bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for key, element := range l.entries {
		if useless(key) {
			l.remove(element)
		}
	}
}

func (l *Cache[K, V]) remove(element *list.Element) {
	last := l.order.Remove(element).(*entry[K, V])
	delete(l.entries, last.key)
	l.used -= last.cost
}
