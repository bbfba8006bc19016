package local

import (
	"maps"
	"mekiki/index"
	"sync"
)

// lookup finds records by what is unique to them. It follows the newest state,
// and remembers what that has taken away from the views that are still held;
// whoever asks checks the answer against the view's own records.
type lookup struct {
	paths     keyed[string]
	hashes    keyed[index.Hash]
	externals keyed[string]
}

// keyed are the records of one kind of key.
type keyed[K comparable] struct {
	mutex sync.RWMutex
	ids   map[K]index.ID
	// lost are the records that keys had, oldest first, and order the keys that
	// lost them, for as long as views of before are held.
	lost  map[K][]loss
	order []lostKey[K]
	held  map[uint64]int // how many views of each commit are held
}

// loss says that a key had a record in the commits just before one.
type loss struct {
	id     index.ID
	before uint64
}

type lostKey[K comparable] struct {
	key    K
	before uint64
}

// keys are changes to a lookup; an ID of zero takes the key away.
type keys struct {
	paths     map[string]index.ID
	hashes    map[index.Hash]index.ID
	externals map[string]index.ID
}

func newLookup() *lookup {
	return &lookup{paths: newKeyed[string](), hashes: newKeyed[index.Hash](), externals: newKeyed[string]()}
}

func newKeyed[K comparable]() keyed[K] {
	return keyed[K]{ids: map[K]index.ID{}, lost: map[K][]loss{}, held: map[uint64]int{}}
}

func newKeys() keys {
	return keys{paths: map[string]index.ID{}, hashes: map[index.Hash]index.ID{}, externals: map[string]index.ID{}}
}

// apply makes the changes of the commit with the sequence.
func (l *lookup) apply(sequence uint64, changes keys) {
	l.paths.apply(sequence, changes.paths)
	l.hashes.apply(sequence, changes.hashes)
	l.externals.apply(sequence, changes.externals)
}

// tidy forgets the keys that a transaction which was loading took away.
func (l *lookup) tidy() {
	l.paths.tidy()
	l.hashes.tidy()
	l.externals.tidy()
}

// hold makes the lookup answer for views of a commit until they are let go.
func (l *lookup) hold(sequence uint64) {
	l.paths.hold(sequence)
	l.hashes.hold(sequence)
	l.externals.hold(sequence)
}

func (l *lookup) letGo(sequence uint64) {
	l.paths.letGo(sequence)
	l.hashes.letGo(sequence)
	l.externals.letGo(sequence)
}

// now gives the record that has the key in the newest state, or zero.
func (k *keyed[K]) now(key K) index.ID {
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	return k.ids[key]
}

// at gives the only record that may have the key in a commit that is held, or zero.
func (k *keyed[K]) at(key K, sequence uint64) index.ID {
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	for _, loss := range k.lost[key] {
		if loss.before > sequence {
			return loss.id
		}
	}
	return k.ids[key]
}

func (k *keyed[K]) apply(sequence uint64, changes map[K]index.ID) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	for key, id := range changes {
		if old := k.ids[key]; old != 0 && old != id && len(k.held) > 0 {
			k.lost[key] = append(k.lost[key], loss{old, sequence})
			k.order = append(k.order, lostKey[K]{key, sequence})
		}
		if id == 0 {
			delete(k.ids, key)
		} else {
			k.ids[key] = id
		}
	}
}

func (k *keyed[K]) tidy() {
	maps.DeleteFunc(k.ids, func(_ K, id index.ID) bool { return id == 0 })
}

func (k *keyed[K]) hold(sequence uint64) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.held[sequence]++
}

// letGo forgets what no view that is still held was before.
func (k *keyed[K]) letGo(sequence uint64) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.held[sequence]--; k.held[sequence] > 0 {
		return
	}
	delete(k.held, sequence)
	needed := func(before uint64) bool {
		for held := range k.held {
			if held < before {
				return true
			}
		}
		return false
	}
	for len(k.order) > 0 && !needed(k.order[0].before) {
		key := k.order[0].key
		if k.lost[key] = k.lost[key][1:]; len(k.lost[key]) == 0 {
			delete(k.lost, key)
		}
		k.order = k.order[1:]
	}
	if len(k.order) == 0 {
		k.order = nil
	}
}
