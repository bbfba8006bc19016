package catalog

import (
	"sync"

	"mekiki/index"
)

// Lookup finds records by what is unique to them. It follows the newest state,
// and remembers what that has taken away from the views that are still held;
// whoever asks checks the answer against the view's own records.
type Lookup struct {
	Paths     UniqueIndex[string]
	Hashes    UniqueIndex[index.Hash]
	Externals UniqueIndex[string]
}

// UniqueIndex are the records of one kind of key.
type UniqueIndex[K comparable] struct {
	// build gives ids when they are first needed; nil where they are there from the beginning.
	build func() map[K]index.ID
	once  sync.Once
	mutex sync.RWMutex
	ids   map[K]index.ID
	// oldVersions are the records that keys had, oldest first, and order the keys that
	// had them, for as long as views of before are held.
	oldVersions map[K][]oldVersion
	order       []oldKey[K]
	pinned      map[uint64]int // how many views of each commit are held
}

// oldVersion says that a key had a record in the commits just before one.
type oldVersion struct {
	id     index.ID
	before uint64
}

type oldKey[K comparable] struct {
	key    K
	before uint64
}

// keys are changes to a lookup; an ID of zero takes the key away.
type keys struct {
	paths     map[string]index.ID
	hashes    map[index.Hash]index.ID
	externals map[string]index.ID
}

// NewLookup makes an empty lookup.
func NewLookup() *Lookup {
	return &Lookup{Paths: newUniqueIndex[string](), Hashes: newUniqueIndex[index.Hash](), Externals: newUniqueIndex[string]()}
}

// lookupOf makes the lookup of a state, which is built when it is first asked, or by [Lookup.Build]: of a million records it
// takes a second and more, and searches need none.
func lookupOf(s *State) *Lookup {
	l := NewLookup()
	l.Paths.build = func() map[string]index.ID {
		return keysOf(s, s.Records.Count, func(r *index.Record, add func(string)) {
			for _, file := range r.Files {
				add(file.Path)
			}
		})
	}
	l.Hashes.build = func() map[index.Hash]index.ID {
		return keysOf(s, s.Records.Count, func(r *index.Record, add func(index.Hash)) { add(r.Hash) })
	}
	l.Externals.build = func() map[string]index.ID {
		return keysOf(s, 0, func(r *index.Record, add func(string)) { // few records have one
			if r.ExternalID != "" {
				add(r.ExternalID)
			}
		})
	}
	return l
}

// Build builds what is not built yet in the background, so that whoever asks later need not wait.
func (l *Lookup) Build() {
	go l.Paths.wait()
	go l.Hashes.wait()
	go l.Externals.wait()
}

// keysOf finds the records of about so many keys. Should records of a damaged catalog claim one key, the one that was
// written last has it.
func keysOf[K comparable](s *State, expected int, keysOf func(r *index.Record, add func(K))) map[K]index.ID {
	ids := make(map[K]index.ID, expected)
	for id, record := range s.Records.All() {
		keysOf(record, func(key K) {
			if before, claimed := ids[key]; claimed {
				if other, there := s.Record(before); there && other.Sequence > record.Sequence {
					return
				}
			}
			ids[key] = id
		})
	}
	return ids
}

// wait builds the index, or waits until it is there.
func (k *UniqueIndex[K]) wait() {
	k.once.Do(func() {
		if k.build != nil {
			k.ids, k.build = k.build(), nil
		}
	})
}

func newUniqueIndex[K comparable]() UniqueIndex[K] {
	return UniqueIndex[K]{ids: map[K]index.ID{}, oldVersions: map[K][]oldVersion{}, pinned: map[uint64]int{}}
}

func newKeys() keys {
	return keys{paths: map[string]index.ID{}, hashes: map[index.Hash]index.ID{}, externals: map[string]index.ID{}}
}

// OldVersions counts the keys that are remembered for views of before.
func (l *Lookup) OldVersions() int {
	return len(l.Paths.oldVersions) + len(l.Hashes.oldVersions) + len(l.Externals.oldVersions)
}

// Apply makes the changes of the commit with the sequence.
func (l *Lookup) Apply(sequence uint64, changes keys) {
	l.Paths.apply(sequence, changes.paths)
	l.Hashes.apply(sequence, changes.hashes)
	l.Externals.apply(sequence, changes.externals)
}

// Pin makes the lookup answer for views of a commit until they are let go.
func (l *Lookup) Pin(sequence uint64) {
	l.Paths.pin(sequence)
	l.Hashes.pin(sequence)
	l.Externals.pin(sequence)
}

// Unpin lets go of the views of a commit.
func (l *Lookup) Unpin(sequence uint64) {
	l.Paths.unpin(sequence)
	l.Hashes.unpin(sequence)
	l.Externals.unpin(sequence)
}

// Now gives the record that has the key in the newest state, or zero.
func (k *UniqueIndex[K]) Now(key K) index.ID {
	k.wait()
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	return k.ids[key]
}

// At gives the only record that may have the key in a commit that is held, or zero.
func (k *UniqueIndex[K]) At(key K, sequence uint64) index.ID {
	k.wait()
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	for _, loss := range k.oldVersions[key] {
		if loss.before > sequence {
			return loss.id
		}
	}
	return k.ids[key]
}

func (k *UniqueIndex[K]) apply(sequence uint64, changes map[K]index.ID) {
	k.wait()
	k.mutex.Lock()
	defer k.mutex.Unlock()
	for key, id := range changes {
		if old := k.ids[key]; old != 0 && old != id && len(k.pinned) > 0 {
			k.oldVersions[key] = append(k.oldVersions[key], oldVersion{old, sequence})
			k.order = append(k.order, oldKey[K]{key, sequence})
		}
		if id == 0 {
			delete(k.ids, key)
		} else {
			k.ids[key] = id
		}
	}
}

func (k *UniqueIndex[K]) pin(sequence uint64) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.pinned[sequence]++
}

// unpin forgets what no view that is still held was before.
func (k *UniqueIndex[K]) unpin(sequence uint64) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.pinned[sequence]--; k.pinned[sequence] > 0 {
		return
	}
	delete(k.pinned, sequence)
	needed := func(before uint64) bool {
		for held := range k.pinned {
			if held < before {
				return true
			}
		}
		return false
	}
	for len(k.order) > 0 && !needed(k.order[0].before) {
		key := k.order[0].key
		if k.oldVersions[key] = k.oldVersions[key][1:]; len(k.oldVersions[key]) == 0 {
			delete(k.oldVersions, key)
		}
		k.order = k.order[1:]
	}
	if len(k.order) == 0 {
		k.order = nil
	}
}
