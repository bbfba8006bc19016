package search

import (
	"container/list"
	"sync"
)

// lru keeps the entries used last, as many as their costs allow. It is safe
// for concurrent use. A capacity of zero or less keeps nothing.
type lru[K comparable, V any] struct {
	mutex    sync.Mutex
	capacity int64
	used     int64
	order    *list.List // of *lruEntry[K, V], the last used first
	entries  map[K]*list.Element
}

type lruEntry[K comparable, V any] struct {
	key   K
	value V
	cost  int64
}

func newLRU[K comparable, V any](capacity int64) *lru[K, V] {
	return &lru[K, V]{capacity: capacity, order: list.New(), entries: map[K]*list.Element{}}
}

// get gives the value of a key and makes it the last used.
func (l *lru[K, V]) get(key K) (V, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if element, ok := l.entries[key]; ok {
		l.order.MoveToFront(element)
		return element.Value.(*lruEntry[K, V]).value, true
	}
	var none V
	return none, false
}

// put keeps a value at a cost, unless it alone is over the capacity.
func (l *lru[K, V]) put(key K, value V, cost int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if element, ok := l.entries[key]; ok {
		l.remove(element)
	}
	if cost > l.capacity {
		return
	}
	l.entries[key] = l.order.PushFront(&lruEntry[K, V]{key: key, value: value, cost: cost})
	l.used += cost
	for l.used > l.capacity {
		l.remove(l.order.Back())
	}
}

func (l *lru[K, V]) remove(element *list.Element) {
	entry := l.order.Remove(element).(*lruEntry[K, V])
	delete(l.entries, entry.key)
	l.used -= entry.cost
}
