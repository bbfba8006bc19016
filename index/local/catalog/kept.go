package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"mekiki/index"
)

const (
	keptHash = iota + 1
	keptTag
	keptAdded
	keptPath
	keptLost
	keptPurged
)

func encodeKept(e *encoder, k *index.Kept) {
	e.bytes(keptHash, k.Hash[:])
	for _, tag := range k.Tags {
		e.text(keptTag, tag)
	}
	e.time(keptAdded, k.Added)
	e.text(keptPath, k.Path)
	e.time(keptLost, k.Lost)
	e.flag(keptPurged, k.Purged)
}

func decodeKept(data string) (index.Kept, error) {
	var k index.Kept
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case keptHash:
			return value.hash(&k.Hash)
		case keptTag:
			k.Tags = append(k.Tags, string(value))
		case keptAdded:
			return value.time(&k.Added)
		case keptPath:
			return value.text(&k.Path)
		case keptLost:
			return value.time(&k.Lost)
		case keptPurged:
			k.Purged = true
		}
		return nil
	})
	if err == nil && k.Hash.IsZero() {
		err = fmt.Errorf("%w: what is kept has no hash", ErrShort)
	}
	return k, err
}

func (t *Transaction) ownKept() {
	if !t.ownsKept {
		t.Kept = maps.Clone(t.Kept)
		if t.Kept == nil {
			t.Kept = map[index.Hash]index.Kept{}
		}
		t.ownsKept = true
	}
}

// PutKept keeps what people gave a picture without files.
func (t *Transaction) PutKept(k index.Kept) {
	t.ownKept()
	t.Kept[k.Hash] = k
	t.log(operationPutKept, func(e *encoder) { encodeKept(e, &k) })
	if k.Given != nil {
		t.log(operationPutKeptGiven, func(e *encoder) { encodeKeptGiven(e, &k) })
	}
}

// RemoveKept forgets what is kept of a content.
func (t *Transaction) RemoveKept(hash index.Hash) {
	if _, there := t.Kept[hash]; !there {
		return
	}
	t.ownKept()
	delete(t.Kept, hash)
	t.log(operationRemoveKept, func(e *encoder) { e.bytes(keptHash, hash[:]) })
}

// SortedKept lists what is kept, the longest lost first.
func SortedKept(kept map[index.Hash]index.Kept) []index.Kept {
	return slices.SortedFunc(maps.Values(kept), func(a, b index.Kept) int {
		return cmp.Or(a.Lost.Compare(b.Lost), slices.Compare(a.Hash[:], b.Hash[:]))
	})
}
