package index

import (
	"sync/atomic"

	"mekiki/index/keyword"
)

// words is an open keyword index and how many use it: the library, and every view
// that was made with it. The last one closes it.
type words struct {
	*keyword.Index
	users atomic.Int64
}

// newWords gives an index to its first user.
func newWords(opened *keyword.Index) *words {
	w := &words{Index: opened}
	w.users.Store(1)
	return w
}

func (w *words) retain() { w.users.Add(1) }

func (w *words) release() error {
	if w.users.Add(-1) != 0 {
		return nil
	}
	return w.Close()
}
