// Package tickets keeps what callers may come back for, each under a token of its own: for a time, and the oldest given up
// where there are too many.
//
//	token, until := kept.Put(change, records) ─► the caller ─► kept.Get(token)
package tickets

import (
	"crypto/rand"
	"slices"
	"sync"
	"time"
)

// Tickets keep values. Fill in what is exported before the first call; they are then safe for concurrent use.
type Tickets[T any] struct {
	// For is how long a value is kept, Most how many are, and Weight how much all may weigh together. The newest is kept
	// whatever it weighs.
	For    time.Duration
	Most   int
	Weight int
	Now    func() time.Time

	mutex sync.Mutex
	kept  []ticket[T] // the oldest first
}

// ticket is a value and what it is kept under.
type ticket[T any] struct {
	token  string
	until  time.Time
	weight int
	value  T
}

// Put keeps a value, and gives its token and until when it is kept at the most.
func (t *Tickets[T]) Put(value T, weight int) (token string, until time.Time) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	now := t.Now()
	put := ticket[T]{rand.Text(), now.Add(t.For), weight, value}
	t.kept = append(t.kept, put)
	all := 0
	for _, kept := range t.kept {
		all += kept.weight
	}
	for len(t.kept) > 1 && (len(t.kept) > t.Most || all > t.Weight || now.After(t.kept[0].until)) {
		all -= t.kept[0].weight
		t.kept = slices.Delete(t.kept, 0, 1)
	}
	return put.token, put.until
}

// Get gives the value of a token, while it is kept.
func (t *Tickets[T]) Get(token string) (value T, there bool) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	at := t.find(token)
	if at < 0 {
		return value, false
	}
	return t.kept[at].value, true
}

// Take is Get, and keeps the value no longer unless back is called.
func (t *Tickets[T]) Take(token string) (value T, back func(), there bool) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	at := t.find(token)
	if at < 0 {
		return value, nil, false
	}
	taken := t.kept[at]
	t.kept = slices.Delete(t.kept, at, at+1)
	return taken.value, func() {
		t.mutex.Lock()
		defer t.mutex.Unlock()
		t.kept = slices.Insert(t.kept, min(at, len(t.kept)), taken)
	}, true
}

// find gives the place of a token, -1 without one. The mutex is held.
func (t *Tickets[T]) find(token string) int {
	at := slices.IndexFunc(t.kept, func(kept ticket[T]) bool { return kept.token == token })
	if at >= 0 && t.Now().After(t.kept[at].until) {
		return -1
	}
	return at
}
