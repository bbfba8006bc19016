package index

import "sync"

// lookup finds records by what is unique to them. It follows the newest state;
// a snapshot checks what it says against its own.
type lookup struct {
	mutex     sync.RWMutex
	paths     map[string]ID
	hashes    map[Hash]ID
	externals map[string]ID
	at        uint64 // the commit it follows
}

// keys are changes to a lookup; an ID of zero takes the key away.
type keys struct {
	paths     map[string]ID
	hashes    map[Hash]ID
	externals map[string]ID
}

func newLookup() *lookup {
	return &lookup{paths: map[string]ID{}, hashes: map[Hash]ID{}, externals: map[string]ID{}}
}

func newKeys() keys {
	return keys{paths: map[string]ID{}, hashes: map[Hash]ID{}, externals: map[string]ID{}}
}

func (l *lookup) path(path string) ID {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return l.paths[path]
}

func (l *lookup) hash(hash Hash) ID {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return l.hashes[hash]
}

func (l *lookup) external(id string) ID {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return l.externals[id]
}

func (l *lookup) sequence() uint64 {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return l.at
}

// apply makes the changes of the commit with the sequence.
func (l *lookup) apply(sequence uint64, changes keys) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.at = sequence
	applyKeys(l.paths, changes.paths)
	applyKeys(l.hashes, changes.hashes)
	applyKeys(l.externals, changes.externals)
}

func applyKeys[K comparable](all, changes map[K]ID) {
	for key, id := range changes {
		if id == 0 {
			delete(all, key)
		} else {
			all[key] = id
		}
	}
}
