package index

import "sync"

// lookup finds records by what is unique to them. It follows the newest state;
// a snapshot checks what it says against its own.
type lookup struct {
	mutex     sync.RWMutex
	paths     map[string]ID
	hashes    map[Hash]ID
	externals map[string]ID
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

func (l *lookup) apply(changes keys) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
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
