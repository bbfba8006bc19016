package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/local/catalog"
	"mekiki/index/local/nearest"
	"mekiki/index/local/segment"
)

// AddSpace adds a vector space beside those there are. The first space of a
// library serves at once; later ones when told to by [Library.ServeSpace].
// Adding a space that exists does nothing.
func (l *Library) AddSpace(ctx context.Context, added embed.Space) error {
	err := l.change(ctx, &writeRequest{prepare: func(c *commit) error {
		if err := catalog.CheckSpace(added); err != nil {
			return err
		}
		number := uint64(0)
		for _, s := range c.Spaces {
			if s.Space.Space == added {
				return nil
			}
			number = max(number, s.Number)
		}
		number = max(number, c.Segment) + 1
		fresh := &catalog.Space{Number: number, Space: added, Added: l.options.Now().UTC()}
		if len(c.Spaces) == 0 {
			fresh.Rank = catalog.Serving
		}
		// Space and segment numbers share one count, so that no number of a
		// dropped space comes back.
		c.PutNextID(c.NextID, number)
		c.PutSpace(fresh)
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
	if err := l.switchSpace(ctx, func(s *catalog.State) *catalog.Space { return s.SpaceOf(wanted) }); err != nil {
		return fmt.Errorf("serve space %s: %w", wanted, err)
	}
	return nil
}

// RollbackSpace goes back to the space that served before.
func (l *Library) RollbackSpace(ctx context.Context) error {
	previous := func(s *catalog.State) *catalog.Space {
		for _, candidate := range s.Spaces {
			if candidate.Rank == catalog.Previous {
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
func (l *Library) switchSpace(ctx context.Context, choose func(*catalog.State) *catalog.Space) error {
	if l.readOnly.Load() {
		return index.ErrReadOnly
	}
	if err := ctx.Err(); err != nil {
		return err
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
	if target.Rank == catalog.Serving {
		return nil
	}
	store := nearest.NewStore(l.host, target)
	if old := l.derived.vectors; old != nil && old.Loaded() {
		if _, _, err := store.Views(ctx, view.nearest); err != nil {
			return err
		}
	}
	request := &writeRequest{prepare: func(c *commit) error {
		for _, s := range c.Spaces {
			changed := s.Space
			switch {
			case s.Number == target.Number:
				changed.Rank = catalog.Serving
			case s.Rank == catalog.Serving:
				changed.Rank = catalog.Previous
			default:
				changed.Rank = catalog.Filling
			}
			if changed.Rank != s.Rank {
				c.PutSpace(&changed)
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
		for _, s := range c.Spaces {
			if s.Space.Space != unwanted {
				continue
			}
			if s.Rank == catalog.Serving {
				return fmt.Errorf("%w: it serves; serve another one first", index.ErrSpace)
			}
			number = s.Number
			c.RemoveSpace(number)
			return nil
		}
		return fmt.Errorf("%w: the library has no such space", index.ErrSpace)
	}})
	if err == nil {
		l.host.RemoveLists(number)
		err = l.removeSegments(func(key segment.Key) bool { return key.Space == number })
	}
	if err != nil {
		return fmt.Errorf("drop space %s: %w", unwanted, err)
	}
	return nil
}

// removeSegments closes and deletes segments that nothing points to any more.
// Snapshots that still read them keep them open; where that keeps them from being
// deleted, the next opening does it.
func (l *Library) removeSegments(unwanted func(segment.Key) bool) error {
	l.writer.Lock()
	defer l.writer.Unlock()
	var problems []error
	for key, appender := range l.appenders {
		if appender.Current != nil && unwanted(appender.Current.Key) {
			problems = append(problems, appender.Drop())
			delete(l.appenders, key)
		}
	}
	view, err := l.current()
	if err != nil {
		return err
	}
	kept := view.segments.With(nil, func(key segment.Key) bool { return !unwanted(key) })
	problems = append(problems, l.swap(view.with(kept, l.derived)), view.release())
	for key := range view.segments {
		if !unwanted(key) {
			continue
		}
		if err := l.fsys.Remove(filepath.Join(l.folder, key.Path())); err != nil {
			l.logger.Warn("a segment that nothing points to is removed when the library is opened again", "error", err)
		}
	}
	return errors.Join(problems...)
}
