package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"mekiki/index/local/block"
	"mekiki/index/local/catalog"
	"mekiki/index/local/journal"
	"mekiki/index/local/segment"
	"mekiki/internal/vfs"
)

// Refresh brings a library that is open for reading up to date with what its
// writer has committed since. It reports whether anything changed. Snapshots
// taken before stay as they are.
//
// It reads on where it stopped in the writer's log, so it costs what was
// changed. Only when the log does not tell, because it was cut short, or is
// damaged, is everything read anew; vectors of records that are as they were
// stay in memory even then.
func (l *Library) Refresh(ctx context.Context) (bool, error) {
	if !l.readOnly.Load() {
		return false, nil
	}
	l.writer.Lock()
	defer l.writer.Unlock()
	view, err := l.current()
	if err != nil {
		return false, err
	}
	defer view.release()
	if behind, err := l.isBehind(); err != nil || !behind {
		return false, err
	}
	changed, err := l.replayLog(ctx, view)
	if err == nil || ctx.Err() != nil {
		return changed, err
	}
	l.logger.Debug("read the whole library again", "why", err)
	if err := l.reopen(ctx, view); err != nil {
		return false, fmt.Errorf("refresh library: %w", err)
	}
	return true, nil
}

// catalogEnd is how far a reader has read the catalog.
type catalogEnd struct {
	log uint64
	end int64
}

// isBehind reports whether the catalog has grown since it was read.
func (l *Library) isBehind() (bool, error) {
	logs, checkpoints, err := catalog.Files(l.fsys, l.folder)
	if err != nil {
		return false, err
	}
	if restored := []uint64{l.read.log}; len(logs) == 0 && l.read.end == 0 && slices.Equal(checkpoints, restored) {
		return false, nil // a backup, which nobody has written to
	}
	if len(logs) == 0 || logs[len(logs)-1] != l.read.log {
		return true, nil
	}
	stat, err := l.fsys.Stat(filepath.Join(l.folder, catalog.LogName(l.read.log)))
	if err != nil {
		return true, vfs.IgnoreMissing(err)
	}
	return stat.Size() != l.read.end, nil
}

// reopen reads everything anew, but for the vectors of records that have not
// changed. Where there is damage, vectors are read too, to tell what of it is left.
func (l *Library) reopen(ctx context.Context, from *view) error {
	fresh := newLibrary(l.folder, l.options, l.decoder, l.background)
	if len(l.Findings()) == 0 {
		fresh.former = from.nearest
	}
	if err := fresh.openReader(ctx); err != nil {
		return err
	}
	return l.takeOver(fresh, from)
}

// errLogBroken says that the log does not lead from what was read to what is.
var errLogBroken = errors.New("the log does not go on where it was read last")

// replayLog applies the commits that the log has gained. An error leaves the
// library as it is, but for the derived indexes, which reopening replaces.
func (l *Library) replayLog(ctx context.Context, from *view) (bool, error) {
	t, end, err := l.replayNewFrames(ctx, from.state)
	if err != nil {
		return false, err
	}
	if t.Sequence == from.state.Sequence {
		l.read = end
		return false, nil
	}
	next := t.Finish()
	segments, err := l.segmentsAfter(ctx, from, t, next)
	if err != nil {
		return false, err
	}
	l.derived.keywordStore.Follow(ctx, t.Touched, next)
	l.lookup.Apply(next.Sequence, t.Keys)
	l.read = end
	if err := l.publish(ctx, newView(next, segments, l.derived)); err != nil {
		l.logger.Warn("let go of an old view", "error", err)
	}
	return true, nil
}

// replayNewFrames replays what the logs hold beyond what was read.
func (l *Library) replayNewFrames(ctx context.Context, from *catalog.State) (*catalog.Transaction, catalogEnd, error) {
	end := l.read
	logs, checkpoints, err := catalog.Files(l.fsys, l.folder)
	if err == nil {
		logs, err = catalog.WithoutUnused(l.fsys, l.folder, logs, checkpoints)
	}
	if err != nil {
		return nil, end, err
	}
	at := slices.Index(logs, l.read.log)
	if at < 0 {
		return nil, end, fmt.Errorf("%w: %s is gone", errLogBroken, catalog.LogName(l.read.log))
	}
	t := catalog.Begin(from, l.lookup, from.Sequence)
	t.Replaying = true
	trail := &catalog.Loaded{Damaged: map[string]bool{}}
	for i, number := range logs[at:] {
		offset := int64(0)
		if i == 0 {
			offset = l.read.end
		}
		result, err := trail.ReplayJournal(ctx, l.fsys, l.folder, catalog.LogName(number), journal.Header{Kind: journal.Log, Number: number}, offset, t)
		switch {
		case err != nil:
			return nil, end, err
		case len(trail.Findings) > 0:
			return nil, end, fmt.Errorf("%w: %s", errLogBroken, trail.Findings[0].Message)
		case result.Size < offset || number != l.read.log+uint64(i) || result.Torn && at+i < len(logs)-1:
			return nil, end, fmt.Errorf("%w: %s is not whole", errLogBroken, catalog.LogName(number))
		}
		end = catalogEnd{log: number, end: result.End}
	}
	return t, end, nil
}

// segmentsAfter gives the segments of the next state: those that came are
// opened, those that nothing points into any more are left out.
func (l *Library) segmentsAfter(ctx context.Context, from *view, t *catalog.Transaction, next *catalog.State) (segment.Set, error) {
	wanted := map[segment.Key]bool{}
	for number, moved := range t.Moved {
		space := next.SpaceNumbered(number)
		if space == nil {
			continue
		}
		for id := range moved {
			where, _ := space.Locations.Get(id)
			for kind, part := range map[block.Kind]segment.Extent{block.Vectors: where.Vectors, block.Tokens: where.Tokens} {
				if key := (segment.Key{Space: number, Kind: kind, Number: part.Segment}); part.Length > 0 && from.segments[key] == nil {
					wanted[key] = true
				}
			}
		}
	}
	added, problems := segment.Open(ctx, l.fsys, l.folder, wanted)
	if err := errors.Join(problems...); err != nil {
		return nil, errors.Join(err, added.Release())
	}
	keep := func(segment.Key) bool { return true }
	if len(wanted) > 0 || len(next.Spaces) != len(from.state.Spaces) {
		used := catalog.Segments(next)
		keep = func(key segment.Key) bool { return used[key] }
	}
	files := make([]*segment.File, 0, len(added))
	for _, file := range added {
		files = append(files, file)
	}
	return from.segments.With(files, keep), nil
}
