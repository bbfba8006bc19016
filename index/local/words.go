package local

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"mekiki/index/keyword"
)

// words is an open keyword index and how many use it: the library, and every reader
// of it that a view has. The last one closes it.
type words struct {
	*keyword.Index
	users atomic.Int64

	// turn is held while a commit is applied, and where newest is used.
	turn sync.Mutex
	// newest shows the index as it is; nil when a commit was applied in part.
	newest *wordsReader
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

// apply brings the index to a commit, and gives a reader of it to its first user.
// The words of readers of before stay as they are.
func (w *words) apply(sequence uint64, change func() error) (*wordsReader, error) {
	w.turn.Lock()
	defer w.turn.Unlock()
	w.newest = nil
	if err := change(); err != nil {
		return nil, err
	}
	made, err := w.Index.Reader()
	if err != nil {
		return nil, err
	}
	w.users.Add(1)
	r := &wordsReader{words: w, sequence: sequence}
	r.users.Store(1)
	r.reader.Store(made)
	w.newest = r
	return r, nil
}

// wordsReader is the keyword index as it was at one commit, and how many use it:
// the library while it is the newest, and every view that was made with it. The last
// one closes it.
type wordsReader struct {
	reader atomic.Pointer[keyword.Reader]
	words  *words
	// sequence is the commit that it shows.
	sequence uint64
	users    atomic.Int64
}

func (r *wordsReader) retain() *wordsReader {
	r.users.Add(1)
	return r
}

func (r *wordsReader) release() error {
	if r.users.Add(-1) != 0 {
		return nil
	}
	r.words.turn.Lock()
	if r.words.newest == r {
		r.words.newest = nil
	}
	r.words.turn.Unlock()
	return errors.Join(r.reader.Load().Close(), r.words.release())
}

// renew reads what bleve has made of the same documents since, which merges files in
// the background: fewer are faster to search, and those of before can go. It does not
// wait for a commit that is being applied.
func (r *wordsReader) renew() error {
	if !r.words.turn.TryLock() {
		return nil
	}
	defer r.words.turn.Unlock()
	if r.words.newest != r {
		return nil
	}
	made, err := r.words.Index.Reader()
	if err != nil {
		return err
	}
	former := r.reader.Load()
	if made.Same(former) {
		return made.Close()
	}
	r.reader.Store(made)
	return former.Close()
}

// search finds documents of the commit.
func (r *wordsReader) search(ctx context.Context, query keyword.Query) ([]keyword.Hit, error) {
	for {
		reader := r.reader.Load()
		hits, err := reader.Search(ctx, query)
		if errors.Is(err, keyword.ErrUnusable) && reader != r.reader.Load() {
			continue // it was renewed in between
		}
		return hits, err
	}
}
