package keywords

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"mekiki/index/keyword"
)

// sharedIndex is an open keyword index and how many use it: the library, and every reader
// of it that a view has. The last one closes it.
type sharedIndex struct {
	*keyword.Index
	users atomic.Int64

	// mu is held while a commit is applied, and where newest is used.
	mu sync.Mutex
	// newest shows the index as it is; nil when a commit was applied in part.
	newest *Reader
}

// NewSharedIndex gives an index to its first user.
func NewSharedIndex(opened *keyword.Index) *sharedIndex {
	w := &sharedIndex{Index: opened}
	w.users.Store(1)
	return w
}

func (w *sharedIndex) release() error {
	if w.users.Add(-1) != 0 {
		return nil
	}
	return w.Close()
}

// apply brings the index to a commit, and gives a reader of it to its first user.
// The words of earlier readers stay as they are.
func (w *sharedIndex) apply(sequence uint64, change func() error) (*Reader, error) {
	r := newPendingReader(sequence)
	err := w.applyFor(r, change)
	r.open(err)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// applyFor is apply for a reader that is pending.
func (w *sharedIndex) applyFor(r *Reader, change func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest = nil
	if err := change(); err != nil {
		return err
	}
	made, err := w.Index.Reader()
	if err != nil {
		return err
	}
	w.users.Add(1)
	r.index = w
	r.reader.Store(made)
	w.newest = r
	return nil
}

// Reader is the keyword index as it was at one commit, and how many use it:
// the library while it is the newest, and every view that was made with it. The last
// one closes it.
type Reader struct {
	reader atomic.Pointer[keyword.Reader]
	index  *sharedIndex
	// Sequence is the commit that it shows.
	Sequence uint64
	users    atomic.Int64

	// opened is closed when reader and index are there, or will never be, which failed says then.
	opened chan struct{}
	failed error
}

// newPendingReader gives a reader, of an index that is not open yet, to its first user.
func newPendingReader(sequence uint64) *Reader {
	r := &Reader{Sequence: sequence, opened: make(chan struct{})}
	r.users.Store(1)
	return r
}

// open says that the reader is there, or why it never will be.
func (r *Reader) open(failed error) {
	r.failed = failed
	close(r.opened)
}

// Retain adds a user.
func (r *Reader) Retain() *Reader {
	r.users.Add(1)
	return r
}

// Release ends a use; the last one frees what it holds.
func (r *Reader) Release() error {
	if r.users.Add(-1) != 0 {
		return nil
	}
	if <-r.opened; r.failed != nil {
		return nil
	}
	r.index.mu.Lock()
	if r.index.newest == r {
		r.index.newest = nil
	}
	r.index.mu.Unlock()
	return errors.Join(r.reader.Load().Close(), r.index.release())
}

// Renew reads what bleve has made of the same documents since, which merges files in
// the background: fewer are faster to search, and those of before can go. It does not
// wait for a commit that is being applied.
func (r *Reader) Renew() error {
	select {
	case <-r.opened:
		if r.failed != nil {
			return nil // a search says so
		}
	default:
		return nil
	}
	if !r.index.mu.TryLock() {
		return nil
	}
	defer r.index.mu.Unlock()
	if r.index.newest != r {
		return nil
	}
	made, err := r.index.Index.Reader()
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

// Search finds documents of the commit.
func (r *Reader) Search(ctx context.Context, query keyword.Query) ([]keyword.Hit, error) {
	return usable(ctx, r, func(reader *keyword.Reader) ([]keyword.Hit, error) { return reader.Search(ctx, query) })
}

// Spellings gives terms that a word may have been meant as.
func (r *Reader) Spellings(ctx context.Context, word string) ([]keyword.Spelling, error) {
	return usable(ctx, r, func(reader *keyword.Reader) ([]keyword.Spelling, error) { return reader.Spellings(ctx, word) })
}

// prepare reads what first searches would have to.
func (r *Reader) prepare(ctx context.Context) error {
	_, err := usable(ctx, r, func(reader *keyword.Reader) (struct{}, error) { return struct{}{}, reader.Prepare(ctx) })
	return err
}

// usable asks the reader that is open now, and the next one where it was renewed in between.
func usable[T any](ctx context.Context, r *Reader, ask func(*keyword.Reader) (T, error)) (T, error) {
	var nothing T
	select {
	case <-r.opened:
		if r.failed != nil {
			return nothing, r.failed
		}
	case <-ctx.Done():
		return nothing, ctx.Err()
	}
	for {
		reader := r.reader.Load()
		found, err := ask(reader)
		if errors.Is(err, keyword.ErrUnusable) && reader != r.reader.Load() {
			continue
		}
		return found, err
	}
}
