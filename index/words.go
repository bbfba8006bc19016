package index

import (
	"errors"
	"sync/atomic"

	"mekiki/index/keyword"
)

// words is an open keyword index and how many use it: the library, and every reader
// of it that a view has. The last one closes it.
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

func (w *words) release() error {
	if w.users.Add(-1) != 0 {
		return nil
	}
	return w.Close()
}

// wordsReader is the keyword index as it was at one commit, and how many use it:
// the library while it is the newest, and every view that was made with it. The last
// one closes it.
type wordsReader struct {
	*keyword.Reader
	words *words
	// sequence is the commit that it shows.
	sequence uint64
	users    atomic.Int64
}

// reader gives the index at the commit that was just applied to its first user.
func (w *words) reader(sequence uint64) (*wordsReader, error) {
	made, err := w.Index.Reader()
	if err != nil {
		return nil, err
	}
	w.users.Add(1)
	r := &wordsReader{Reader: made, words: w, sequence: sequence}
	r.users.Store(1)
	return r, nil
}

func (r *wordsReader) retain() *wordsReader {
	r.users.Add(1)
	return r
}

func (r *wordsReader) release() error {
	if r.users.Add(-1) != 0 {
		return nil
	}
	return errors.Join(r.Close(), r.words.release())
}
