package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"mekiki/index"
)

// identify reads a file and says which record holds its content: that is how a file that
// was moved or copied is told from a new one.
func (r *run) identify(ctx context.Context, seen fileEntry) (fileResult, []byte, error) {
	data, stamp, failure, err := r.dataOf(ctx, seen)
	if failure != nil || err != nil {
		return fileResult{file: stamp, failure: failure, seen: seen}, nil, err
	}
	result := fileResult{file: stamp, hash: sha256.Sum256(data), seen: seen}
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return result, nil, err
	}
	defer reader.Close()
	record, err := index.One(reader.RecordsByHash(ctx, []index.Hash{result.hash}))
	if err == nil && record == nil && !r.options.Again {
		result.purged, err = index.One(reader.Purged(ctx, []index.Hash{result.hash}))
	}
	if err != nil || record == nil {
		return result, data, err
	}
	result.known = record.ID
	result.complete, err = index.One(reader.HaveParts(ctx, r.engine.Space(), []index.ID{record.ID}))
	return result, data, err
}

// exchange looks at files that are not what their path held before. Those that
// hold what the library knows from another path get their record; the others are
// given back, to be read as new ones.
func (r *run) exchange(ctx context.Context, altered []fileEntry) ([]fileEntry, error) {
	owners, err := r.pathOwners(ctx, altered)
	if err != nil {
		return nil, err
	}
	group, stages := errgroup.WithContext(ctx)
	wanted := make(chan fileEntry)
	identified := make(chan fileResult)
	group.Go(func() error {
		defer close(wanted)
		_, err := sourceOf(altered)(stages, wanted)
		return err
	})
	r.startWorkers(stages, group, func(ctx context.Context, seen fileEntry) (fileResult, error) {
		result, data, err := r.identify(ctx, seen)
		if err == nil && result.failure == nil && result.complete {
			err = r.describeRecord(ctx, &result, data)
		}
		return result, err
	}, wanted, identified)
	var rest []fileEntry
	var moves []fileResult
	touched := &collector{run: r, pending: map[index.Hash]int{}}
	group.Go(func() error {
		for result := range identified {
			switch {
			case result.failure != nil || !result.complete:
				result.seen.file, result.seen.failure = result.file, specialOf(result.failure)
				rest = append(rest, result.seen)
			case owners[result.file.Path] == result.known:
				if err := touched.take(stages, result); err != nil {
					return err
				}
			default:
				moves = append(moves, result)
			}
		}
		return touched.finish(stages)
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	mover, err := newMover(ctx, r, moves)
	if err != nil {
		return nil, err
	}
	return rest, mover.all(ctx)
}

// specialOf keeps a failure that is not of reading: it would not come again.
func specialOf(failure error) error {
	if errors.Is(failure, errSpecial) || errors.Is(failure, errNowhere) {
		return failure
	}
	return nil
}

// pathOwners gives the records that have the paths of files.
func (r *run) pathOwners(ctx context.Context, files []fileEntry) (map[string]index.ID, error) {
	paths := make([]string, len(files))
	for i, seen := range files {
		paths[i] = seen.file.Path
	}
	ids, err := r.ownersOf(ctx, paths)
	if err != nil {
		return nil, err
	}
	owners := make(map[string]index.ID, len(paths))
	for i, path := range paths {
		owners[path] = ids[i]
	}
	return owners, nil
}

// ownerOf gives the record that has a path, or zero.
func (r *run) ownerOf(ctx context.Context, path string) (index.ID, error) {
	return index.One(r.ownersOf(ctx, []string{path}))
}

// ownersOf gives the records that have paths; zero where none does.
func (r *run) ownersOf(ctx context.Context, paths []string) ([]index.ID, error) {
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	records, err := reader.RecordsByPath(ctx, paths)
	if err != nil {
		return nil, err
	}
	return index.IDs(records), nil
}

// mover gives paths to records that took them from each other. An image that
// loses its last path is removed, so that each gets its new one before another
// takes its old one.
type mover struct {
	collector *collector
	moves     []fileResult
	// owners are the records that have the paths of the moves now, and
	// ofRecord the moves of each record.
	owners   []index.ID
	ofRecord map[index.ID][]int
	state    []moveState
	// held are records that move in a ring, by a path that is in no folder
	// and never committed.
	held map[index.ID]string
}

type moveState uint8

const (
	moveWaits moveState = iota
	moveBegun
	moveDone
)

func newMover(ctx context.Context, r *run, moves []fileResult) (*mover, error) {
	paths := make([]string, len(moves))
	for i, move := range moves {
		paths[i] = move.file.Path
	}
	owners, err := r.ownersOf(ctx, paths)
	if err != nil {
		return nil, err
	}
	m := &mover{
		collector: &collector{run: r, pending: map[index.Hash]int{}}, moves: moves,
		owners: owners, ofRecord: map[index.ID][]int{}, state: make([]moveState, len(moves)), held: map[index.ID]string{},
	}
	for i, move := range moves {
		m.ofRecord[move.known] = append(m.ofRecord[move.known], i)
	}
	return m, nil
}

func (m *mover) all(ctx context.Context) error {
	for i := range m.moves {
		if err := m.move(ctx, i); err != nil {
			return errors.Join(err, m.collector.commitWhenInterrupted(ctx))
		}
	}
	return m.collector.commit(ctx)
}

// move makes one move, after those of the record that has its path.
func (m *mover) move(ctx context.Context, at int) error {
	if m.state[at] == moveDone {
		return nil
	}
	m.state[at] = moveBegun
	for _, first := range m.ofRecord[m.owners[at]] {
		if m.state[first] == moveBegun {
			m.hold(m.owners[at])
		} else if err := m.move(ctx, first); err != nil {
			return err
		}
	}
	m.state[at] = moveDone
	batch, result := &m.collector.batch, m.moves[at]
	batch.Attach = append(batch.Attach, index.Attach{ID: result.known, File: result.file})
	if result.described != nil {
		batch.Metadata = append(batch.Metadata, *result.described)
	}
	if path, held := m.held[result.known]; held {
		batch.Detach = append(batch.Detach, path)
		delete(m.held, result.known)
	}
	m.collector.change()
	m.collector.run.moved[result.known] = true
	m.collector.run.progress.Attach(result.file.Path)
	switch {
	case len(m.held) > 0:
		return nil // the ring is one commit
	case m.collector.changes < m.collector.run.options.BatchSize:
		return ctx.Err()
	}
	return m.collector.commit(ctx)
}

// hold keeps a record until it has its new path.
func (m *mover) hold(id index.ID) {
	path := filepath.Join(filepath.Dir(m.moves[0].file.Path), ".mekiki-moving", id.String())
	m.held[id] = path
	m.collector.batch.Attach = append(m.collector.batch.Attach, index.Attach{ID: id, File: index.File{Path: path}})
}
