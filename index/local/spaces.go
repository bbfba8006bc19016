package local

import (
	"context"
	"errors"
	"fmt"
	"mekiki/embed"
	"mekiki/index"
	"path/filepath"
)

// AddSpace adds a vector space beside those there are. The first space of a
// library serves at once; later ones when told to by [Library.ServeSpace].
// Adding a space that exists does nothing.
func (l *Library) AddSpace(ctx context.Context, added embed.Space) error {
	err := l.change(ctx, &writeRequest{prepare: func(c *commit) error {
		if err := checkSpace(added); err != nil {
			return err
		}
		number := uint64(0)
		for _, s := range c.spaces {
			if s.space.space == added {
				return nil
			}
			number = max(number, s.number)
		}
		number = max(number, c.segment) + 1
		fresh := &space{number: number, space: added, added: l.options.Now().UTC()}
		if len(c.spaces) == 0 {
			fresh.rank = rankServing
		}
		// Space and segment numbers share one count, so that no number of a
		// dropped space comes back.
		c.putNextID(c.nextID, number)
		c.putSpace(fresh)
		return nil
	}})
	if err != nil {
		return fmt.Errorf("add space: %w", err)
	}
	return nil
}

// ServeSpace makes searches use the space from now on; the one that served
// until now is kept for [Library.RollbackSpace]. The vectors are loaded before,
// while the old space serves on.
func (l *Library) ServeSpace(ctx context.Context, wanted embed.Space) error {
	if err := l.switchSpace(ctx, func(s *state) *space { return s.spaceOf(wanted) }); err != nil {
		return fmt.Errorf("serve space %s: %w", wanted, err)
	}
	return nil
}

// RollbackSpace goes back to the space that served before.
func (l *Library) RollbackSpace(ctx context.Context) error {
	previous := func(s *state) *space {
		for _, candidate := range s.spaces {
			if candidate.rank == rankPrevious {
				return candidate
			}
		}
		return nil
	}
	if err := l.switchSpace(ctx, previous); err != nil {
		return fmt.Errorf("roll back to the previous space: %w", err)
	}
	return nil
}

// switchSpace commits the new ranks together, so that at every moment exactly
// one space serves, and publishes the new space's vectors with them.
func (l *Library) switchSpace(ctx context.Context, choose func(*state) *space) error {
	if l.readOnly.Load() {
		return index.ErrReadOnly
	}
	l.writer.Lock()
	defer l.writer.Unlock()
	view, err := l.current()
	if err != nil {
		return err
	}
	defer view.release()
	target := choose(view.state)
	if target == nil {
		return fmt.Errorf("%w: the library has no such space", index.ErrSpace)
	}
	if target.rank == rankServing {
		return nil
	}
	store := newVectorStore(l, target)
	if old := l.derived.vectors; old != nil && old.loaded.Load() {
		if _, _, err := store.views(ctx, view); err != nil {
			return err
		}
	}
	request := &writeRequest{prepare: func(c *commit) error {
		for _, s := range c.spaces {
			changed := s.space
			switch {
			case s.number == target.number:
				changed.rank = rankServing
			case s.rank == rankServing:
				changed.rank = rankPrevious
			default:
				changed.rank = rankFilling
			}
			if changed.rank != s.rank {
				c.putSpace(&changed)
			}
		}
		return nil
	}}
	old := l.derived.vectors
	l.derived.vectors = store
	if err := l.commit(context.WithoutCancel(ctx), []*writeRequest{request}); err != nil {
		l.derived.vectors = old
		return err
	}
	return nil
}

// DropSpace deletes a space that does not serve, and its files.
func (l *Library) DropSpace(ctx context.Context, unwanted embed.Space) error {
	var number uint64
	err := l.change(ctx, &writeRequest{prepare: func(c *commit) error {
		for _, s := range c.spaces {
			if s.space.space != unwanted {
				continue
			}
			if s.rank == rankServing {
				return fmt.Errorf("%w: it serves; serve another one first", index.ErrSpace)
			}
			number = s.number
			c.removeSpace(number)
			return nil
		}
		return fmt.Errorf("%w: the library has no such space", index.ErrSpace)
	}})
	if err == nil {
		l.removeCells(number)
		err = l.removeSegments(func(key segmentKey) bool { return key.space == number })
	}
	if err != nil {
		return fmt.Errorf("drop space %s: %w", unwanted, err)
	}
	return nil
}

// removeSegments closes and deletes segments that nothing points to any more.
// Snapshots that still read them keep them open; where that keeps them from being
// deleted, the next opening does it.
func (l *Library) removeSegments(unwanted func(segmentKey) bool) error {
	l.writer.Lock()
	defer l.writer.Unlock()
	var problems []error
	for key, appender := range l.appenders {
		if appender.current != nil && unwanted(appender.current.key) {
			problems = append(problems, appender.drop())
			delete(l.appenders, key)
		}
	}
	view, err := l.current()
	if err != nil {
		return err
	}
	kept := view.segments.with(nil, func(key segmentKey) bool { return !unwanted(key) })
	next := newView(view.state, kept, l.derived)
	next.found.Store(view.found.Load())
	problems = append(problems, l.publish(next), view.release())
	for key := range view.segments {
		if !unwanted(key) {
			continue
		}
		if err := l.fsys.Remove(filepath.Join(l.folder, key.path())); err != nil {
			l.logger.Warn("a segment that nothing points to is removed when the library is opened again", "error", err)
		}
	}
	return errors.Join(problems...)
}
