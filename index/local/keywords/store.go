package keywords

import (
	"cmp"
	"context"
	"errors"
	"log/slog"

	"mekiki/index"
	"mekiki/index/keyword"
	"mekiki/index/local/catalog"
	"mekiki/internal/vfs"
)

// Folder is the keyword index's, in the folder of derived data.
const Folder = "keyword"

// OpenedBefore is the number of records up to which a keyword index is opened before anything
// is answered. A larger one is opened, verified and brought up to date in the background:
// a million records have half a gigabyte of it, all of which is read to verify it.
const OpenedBefore = 20_000

// smallLibrary is the number of records up to which a keyword index that was
// not closed in order is built anew, rather than trusted after checking what
// can be checked of it.
const smallLibrary = 20_000

// Options say where a keyword index is.
type Options struct {
	Fsys     vfs.FS
	Folder   string
	Logger   *slog.Logger
	ReadOnly bool
	// Damaged says that the catalog is damaged, so that the index cannot be trusted either.
	Damaged bool
	// OpenedBefore is the number of records beyond which the index is opened in the background;
	// zero means the constant.
	OpenedBefore int
}

// Store keeps the keyword index at the newest commit. It is for one goroutine
// at a time; the readers that it gives are for any.
type Store struct {
	logger *slog.Logger
	Index  *sharedIndex
	// Reader shows the words of the last commit that they were brought to.
	Reader *Reader
	// Behind says that the index missed a commit and is to be brought up to date
	// with the next.
	Behind bool

	// opened is closed when the index is open, or cannot be, which failed says then. Until
	// then nobody else looks at Index and Behind.
	opened chan struct{}
	failed error
	cancel context.CancelFunc // ends an opening in the background
}

// Open opens the keyword index and brings it to a state, or makes it anew. A large one is
// opened in the background: whoever needs it waits.
func Open(ctx context.Context, options Options, s *catalog.State) (*Store, error) {
	k := &Store{logger: options.Logger, opened: make(chan struct{}), cancel: func() {}}
	k.Reader = newPendingReader(s.Sequence)
	if s.Records.Count <= cmp.Or(options.OpenedBefore, OpenedBefore) {
		k.open(ctx, options, s)
		return k, k.failed
	}
	ctx, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go k.open(ctx, options, s)
	return k, nil
}

// open opens the index, and makes the pending reader one of it.
func (k *Store) open(ctx context.Context, options Options, s *catalog.State) {
	defer close(k.opened)
	pending := k.Reader
	opened, err := openKeywordIndex(options, s)
	if err == nil {
		k.Index = NewSharedIndex(opened)
		if err = k.Index.applyFor(pending, func() error { return k.fill(ctx, s) }); err != nil {
			err = errors.Join(err, k.Index.Close())
		}
	}
	if k.failed = err; err != nil && ctx.Err() == nil {
		k.logger.Error("the keyword index cannot be opened; nothing is found by words", "error", err)
	}
	pending.open(err)
	if err == nil {
		// Where it fails, a search says so.
		_ = pending.prepare(ctx)
	}
}

// Ready waits until the index is open, and says why it is not.
func (k *Store) Ready(ctx context.Context) error {
	select {
	case <-k.opened:
		return k.failed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settled waits until the index is open or cannot be.
func (k *Store) settled() error {
	<-k.opened
	return k.failed
}

func openKeywordIndex(options Options, s *catalog.State) (*keyword.Index, error) {
	if _, onDisk := options.Fsys.(vfs.OS); !onDisk {
		return keyword.OpenMemory()
	}
	if !options.ReadOnly {
		return openForWriting(options, s)
	}
	opened, err := keyword.OpenCopy(options.Folder)
	if err != nil {
		options.Logger.Warn("the words of all records are indexed in memory: the keyword index cannot be copied", "records", s.Records.Count, "why", err)
		return keyword.OpenMemory()
	}
	return opened, nil
}

func openForWriting(options Options, s *catalog.State) (*keyword.Index, error) {
	if !options.Damaged && (keyword.Clean(options.Folder) || s.Records.Count > smallLibrary) {
		opened, err := keyword.Open(options.Folder)
		if err == nil {
			if sequence, err := opened.Sequence(); err == nil && sequence <= s.Sequence {
				return opened, nil
			}
			// It knows commits that the catalog does not: another catalog's.
			err = opened.Close()
		}
		options.Logger.Warn("rebuild the keyword index", "why", err)
	}
	if err := keyword.Delete(options.Folder); err != nil {
		return nil, err
	}
	return keyword.Create(options.Folder)
}

// sync makes a change that brings the index to a commit.
func (k *Store) sync(sequence uint64, change func() error) error {
	reader, err := k.Index.apply(sequence, change)
	if err != nil {
		return err
	}
	former := k.Reader
	k.Reader = reader
	if former != nil {
		err = former.Release()
	}
	return err
}

// catchUp brings the index to the state's commit.
func (k *Store) catchUp(ctx context.Context, s *catalog.State) error {
	err := k.sync(s.Sequence, func() error { return k.fill(ctx, s) })
	if err == nil {
		k.Behind = false
	}
	return err
}

// Rebuild empties the index and fills it from a state.
func (k *Store) Rebuild(ctx context.Context, s *catalog.State) error {
	if err := k.Ready(ctx); err != nil {
		return err
	}
	ids, err := k.Index.IDs(ctx)
	if err != nil {
		return err
	}
	if err := k.Index.Apply(ctx, 0, nil, ids); err != nil {
		return err
	}
	k.Behind = true
	return k.catchUp(ctx, s)
}

// fill puts in and takes out what the index has not in common with the state.
func (k *Store) fill(ctx context.Context, s *catalog.State) error {
	sequence, err := k.Index.Sequence()
	if err != nil {
		return err
	}
	if sequence == s.Sequence && !k.Behind {
		return nil
	}
	ids, err := k.Index.IDs(ctx)
	if err != nil {
		return err
	}
	var removes []uint64
	known := make(map[uint64]bool, len(ids))
	for _, id := range ids {
		known[id] = true
		if !s.Records.Has(index.ID(id)) {
			removes = append(removes, id)
		}
	}
	var puts []keyword.Document
	flush := func(last bool) error {
		number := uint64(0) // an unfinished filling must not look finished
		if last {
			number = s.Sequence
		}
		err := k.Index.Apply(ctx, number, puts, removes)
		puts, removes = puts[:0], nil
		return err
	}
	for id, record := range s.Records.All() {
		if record.Sequence <= sequence && known[uint64(id)] {
			continue
		}
		if puts = append(puts, DocumentOf(record)); len(puts) == 2000 {
			if err := flush(false); err != nil {
				return err
			}
		}
	}
	return flush(true)
}

// Follow brings the index from one state to the next, which differs in the touched
// records. It never fails a commit, which is durable by now: what cannot be applied is
// caught up later.
func (k *Store) Follow(ctx context.Context, touched map[index.ID]bool, next *catalog.State) {
	ctx = context.WithoutCancel(ctx)
	if k.settled() != nil {
		return // there is none, as was said when it could not be opened
	}
	var err error
	if k.Behind {
		err = k.catchUp(ctx, next)
	} else {
		var puts []keyword.Document
		var removes []uint64
		for id := range touched {
			if record, there := next.Record(id); there {
				puts = append(puts, DocumentOf(record))
			} else {
				removes = append(removes, uint64(id))
			}
		}
		err = k.sync(next.Sequence, func() error { return k.Index.Apply(ctx, next.Sequence, puts, removes) })
	}
	if err != nil {
		k.Behind = true
		k.logger.Error("the keyword index is behind until the next commit", "error", err)
	}
}

// Release lets go of the index, which is closed when no view uses it.
func (k *Store) Release() error {
	if k.settled() != nil {
		return nil
	}
	return errors.Join(k.Reader.Release(), k.Index.release())
}

// Close closes the index, whoever still uses it.
func (k *Store) Close() error {
	k.cancel()
	if k.settled() != nil {
		return nil
	}
	return k.Index.Close()
}

// Abandon closes the index without writing to its folder, which is another's now.
func (k *Store) Abandon() error {
	k.cancel()
	if k.settled() != nil {
		return nil
	}
	return k.Index.Abandon()
}
