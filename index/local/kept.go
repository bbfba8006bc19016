package local

import (
	"cmp"
	"fmt"
	"maps"
	"mekiki/index"
	"slices"
	"strings"
)

// maximumKept is for how many pictures it does. When there are more, the longest gone
// make room, roomKept at a time, so that not every commit has to look for them.
const (
	maximumKept = 1 << 16
	roomKept    = maximumKept / 16
)

// Kept lists what the library keeps of pictures without files, by path.
func (l *Library) Kept() ([]index.Kept, error) {
	view, err := l.current()
	if err != nil {
		return nil, err
	}
	defer view.release()
	now := l.options.Now()
	list := make([]index.Kept, 0, len(view.state.kept))
	for _, kept := range view.state.kept {
		if kept.Until().After(now) {
			list = append(list, kept)
		}
	}
	slices.SortFunc(list, func(a, b index.Kept) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	return list, nil
}

const (
	keptHash = iota + 1
	keptTag
	keptAdded
	keptPath
	keptLost
)

func encodeKept(e *encoder, k *index.Kept) {
	e.bytes(keptHash, k.Hash[:])
	for _, tag := range k.Tags {
		e.text(keptTag, tag)
	}
	e.time(keptAdded, k.Added)
	e.text(keptPath, k.Path)
	e.time(keptLost, k.Lost)
}

func decodeKept(data []byte) (index.Kept, error) {
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
		}
		return nil
	})
	if err == nil && k.Hash.IsZero() {
		err = fmt.Errorf("%w: what is kept has no hash", errShort)
	}
	return k, err
}

func (t *transaction) ownKept() {
	if !t.ownsKept {
		t.kept = maps.Clone(t.kept)
		if t.kept == nil {
			t.kept = map[index.Hash]index.Kept{}
		}
		t.ownsKept = true
	}
}

func (t *transaction) putKept(k index.Kept) {
	t.ownKept()
	t.kept[k.Hash] = k
	t.log(operationPutKept, func(e *encoder) { encodeKept(e, &k) })
}

func (t *transaction) removeKept(hash index.Hash) {
	if _, there := t.kept[hash]; !there {
		return
	}
	t.ownKept()
	delete(t.kept, hash)
	t.log(operationRemoveKept, func(e *encoder) { e.bytes(keptHash, hash[:]) })
}

// keep notes what people gave a record that is about to go.
func (c *commit) keep(r *index.Record, path string) {
	if len(r.Tags) == 0 {
		return
	}
	c.putKept(index.Kept{Hash: r.Hash, Tags: r.Tags, Added: r.Added, Path: path, Lost: c.library.options.Now().UTC()})
}

// restore gives a record what is kept of a content.
func (c *commit) restore(r *index.Record, hash index.Hash) {
	kept, there := c.kept[hash]
	if !there {
		return
	}
	c.removeKept(hash)
	if kept.Until().After(c.library.options.Now()) {
		r.Tags, r.Added = changeTags(kept.Tags, r.Tags, nil), kept.Added
	}
}

// forgetPaths forgets what is kept of pictures whose last path is one of paths.
func (c *commit) forgetPaths(paths []string) {
	if len(c.kept) == 0 {
		return
	}
	wanted := make(map[string]bool, len(paths))
	for _, path := range paths {
		wanted[path] = true
	}
	for _, kept := range sortedKept(c.kept) {
		if wanted[kept.Path] {
			c.removeKept(kept.Hash)
		}
	}
}

// expireKept forgets what has been kept for long enough, and what is too much.
func (c *commit) expireKept() {
	if len(c.kept) == 0 {
		return
	}
	now, due := c.library.options.Now(), len(c.kept) > maximumKept
	for _, kept := range c.kept {
		due = due || !kept.Until().After(now)
	}
	if !due {
		return
	}
	excess := 0
	if len(c.kept) > maximumKept {
		excess = len(c.kept) - maximumKept + roomKept
	}
	for i, kept := range sortedKept(c.kept) {
		if i < excess || !kept.Until().After(now) {
			c.removeKept(kept.Hash)
		}
	}
}

// sortedKept lists what is kept, the longest lost first.
func sortedKept(kept map[index.Hash]index.Kept) []index.Kept {
	return slices.SortedFunc(maps.Values(kept), func(a, b index.Kept) int {
		return cmp.Or(a.Lost.Compare(b.Lost), slices.Compare(a.Hash[:], b.Hash[:]))
	})
}
