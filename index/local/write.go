package local

import (
	"context"
	"errors"
	"fmt"

	"mekiki/index"
	"mekiki/index/local/block"
	"mekiki/index/local/catalog"
	"mekiki/index/local/segment"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
)

// writeRequest is one change that waits for its commit.
type writeRequest struct {
	// prepare makes the change on the commit; an error leaves it half made,
	// and the commit is then thrown away.
	prepare func(*commit) error
	// committed is called with the commit once it is durable.
	committed func(*commit)
	done      bool
	err       error
}

// commit is the work of one durable step: one or more requests together.
type commit struct {
	*catalog.Transaction
	library *Library
	// thumbs are thumbnails to keep once the commit is durable.
	thumbs map[index.Hash][]byte
	// used are the appenders with staged blocks.
	used map[*segment.Appender]bool
}

// Write applies a batch. When it returns without an error the batch is on disk
// and visible to new snapshots; when it returns an error nothing of it is,
// unless the error is [index.ErrWriter]: then only opening the library again tells.
// Batches written at the same time share one commit.
func (l *Library) Write(ctx context.Context, batch index.Batch) (index.WriteResult, error) {
	var result index.WriteResult
	err := l.change(ctx, &writeRequest{
		prepare: func(c *commit) (err error) {
			result, err = c.applyBatch(&batch)
			return err
		},
		committed: func(c *commit) { result.Sequence = c.Sequence },
	})
	if err != nil {
		return index.WriteResult{}, fmt.Errorf("write to library: %w", err)
	}
	return result, nil
}

// change queues a request and sees to it that it is committed: whoever gets
// the writer first commits everything that is waiting.
func (l *Library) change(ctx context.Context, request *writeRequest) error {
	if l.readOnly.Load() {
		return index.ErrReadOnly
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	l.queueMutex.Lock()
	l.queue = append(l.queue, request)
	l.queueMutex.Unlock()

	l.writer.Lock()
	defer l.writer.Unlock()
	if request.done {
		return request.err
	}
	l.queueMutex.Lock()
	waiting := l.queue
	l.queue = nil
	l.queueMutex.Unlock()
	l.commitAll(context.WithoutCancel(ctx), waiting)
	return request.err
}

// commitAll commits requests together; when one cannot be prepared, each by
// itself. The writer is held.
func (l *Library) commitAll(ctx context.Context, requests []*writeRequest) {
	err := l.commit(ctx, requests)
	for _, request := range requests {
		request.done, request.err = true, err
		if errors.Is(err, errPrepare) && len(requests) > 1 {
			request.err = l.commit(ctx, []*writeRequest{request})
		}
	}
}

// errPrepare marks an error of a request, as against one of the disk.
var errPrepare = errors.New("invalid change")

type prepareError struct{ error }

func (e prepareError) Is(target error) bool { return target == errPrepare }
func (e prepareError) Unwrap() error        { return e.error }

// commit makes the requests durable and publishes them. The writer is held.
func (l *Library) commit(ctx context.Context, requests []*writeRequest) error {
	view, err := l.current()
	if err != nil {
		return err
	}
	defer view.release()
	if err := l.writable(); err != nil {
		return err
	}
	c := &commit{
		Transaction: catalog.Begin(view.state, l.lookup, view.state.Sequence+1), library: l,
		thumbs: map[index.Hash][]byte{}, used: map[*segment.Appender]bool{},
	}
	for _, request := range requests {
		if err := request.prepare(c); err != nil {
			for appender := range c.used {
				appender.Unstage()
			}
			return prepareError{err}
		}
	}
	if c.Empty() {
		c.Sequence--
		c.finishRequests(requests)
		return nil
	}
	if err := c.persist(); err != nil {
		return explainWrite(err)
	}
	if err := l.adopt(ctx, view, c); err != nil {
		l.logger.Error("let go of an old view", "error", err)
	}
	c.finishRequests(requests)
	l.checkpointWhenDue(ctx)
	return nil
}

func (c *commit) finishRequests(requests []*writeRequest) {
	for _, request := range requests {
		if request.committed != nil {
			request.committed(c)
		}
	}
}

// persist writes the staged blocks, then the operations that point to them.
func (c *commit) persist() error {
	undo := func(err error) error {
		for appender := range c.used {
			err = errors.Join(err, appender.Undo())
		}
		return err
	}
	for appender := range c.used {
		if err := appender.Flush(); err != nil {
			return undo(err)
		}
	}
	l := c.library
	if err := l.catalog.Commit(c.Sequence, c.Operations()); err != nil {
		if l.catalog.Log.Failed() != nil {
			l.failed = fmt.Errorf("%w: %w", index.ErrWriter, err)
			return l.failed
		}
		return undo(err)
	}
	for appender := range c.used {
		appender.Fresh = false
	}
	return l.checkStillPresent()
}

// adopt makes the committed state the current view.
func (l *Library) adopt(ctx context.Context, from *view, c *commit) error {
	next := c.Finish()
	var added []*segment.File
	for appender := range c.used {
		if _, known := from.segments[appender.Current.Key]; !known {
			appender.Current.Retain()
			added = append(added, appender.Current)
		}
	}
	for hash, jpeg := range c.thumbs {
		if err := l.derived.thumbs.Write(hash, jpeg); err != nil {
			l.logger.Warn("keep a thumbnail", "error", err)
		}
	}
	l.derived.keywordStore.Follow(ctx, c.Touched, next)
	l.lookup.Apply(next.Sequence, c.Keys)
	return l.publish(ctx, newView(next, from.segments.With(added, nil), l.derived))
}

// publish shows the view of a new state.
func (l *Library) publish(ctx context.Context, next *view) error {
	if err := l.derived.serve(ctx, l, next); err != nil {
		l.logger.Error("load the vectors of another space; the next search tries again", "error", err)
	}
	next.nearest.Warm(ctx)
	return l.swap(next)
}

// checkpointWhenDue writes a checkpoint when the log is longer than both the
// limit and the last checkpoint, so that writing them costs no more than
// writing the log. A failure costs nothing but a longer log. In a damaged catalog
// there is none: it would take the place of what is damaged before it is repaired.
func (l *Library) checkpointWhenDue(ctx context.Context) {
	if len(l.catalog.Damaged) > 0 || l.catalog.Log.Size() < max(l.options.CheckpointBytes, l.catalog.CheckpointBytes) {
		return
	}
	if err := l.checkpoint(ctx); err != nil {
		l.logger.Error("write a checkpoint", "error", err)
	}
}

func (l *Library) checkpoint(ctx context.Context) error {
	if err := l.writable(); err != nil {
		return err
	}
	l.mutex.Lock()
	s := l.view.state
	l.mutex.Unlock()
	err := l.catalog.Rotate(ctx, s)
	if failed := l.catalog.Log.Failed(); failed != nil {
		l.failed = fmt.Errorf("%w: %w", index.ErrWriter, failed)
	}
	return err
}

// appender gives the appender of a space and kind.
func (l *Library) appender(space uint64, kind block.Kind) *segment.Appender {
	key := segment.Owner{Space: space, Kind: kind}
	if l.appenders[key] == nil {
		l.appenders[key] = &segment.Appender{Fsys: l.fsys, Folder: l.folder, Space: space, Kind: kind, Limit: l.options.SegmentBytes}
	}
	return l.appenders[key]
}

// stage puts a block into a segment.
func (c *commit) stage(space uint64, kind block.Kind, id index.ID, payload []byte) (segment.Extent, error) {
	appender := c.library.appender(space, kind)
	where, err := appender.Stage(id, payload, func() uint64 {
		c.Segment++
		return c.Segment
	})
	if err == nil {
		c.used[appender] = true
	}
	return where, err
}

// explainWrite adds a remedy to errors that a user can do something about.
func explainWrite(err error) error {
	switch {
	case errors.Is(err, index.ErrMoved):
		return err
	case errors.Is(err, index.ErrWriter):
		return hint.Wrap(err, "stop, make sure that the disk is well and has room, and start again: what was acknowledged is kept")
	case diskspace.IsFull(err):
		return hint.Wrap(err, "make room on the disk and run the same command again: what was acknowledged is kept")
	}
	return err
}
