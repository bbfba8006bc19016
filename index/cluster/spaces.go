package cluster

import (
	"context"
	"fmt"
	"slices"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/cluster/form"
)

// changeSpaces changes the spaces, and announces that.
func (l *Library) changeSpaces(ctx context.Context, change func(*form.State) (bool, error)) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	changed := false
	_, err := l.change(ctx, func(s *form.State) (changes bool, err error) {
		changed, err = change(s)
		return changed, err
	})
	if err != nil || !changed {
		return err
	}
	return l.announce(ctx, l.nextSequence())
}

// AddSpace implements [index.Writer]. The engine has the space's vector before the library
// has the space.
func (l *Library) AddSpace(ctx context.Context, space embed.Space) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	if space.Fingerprint == "" || space.Parts < 1 || space.Width < 1 {
		return fmt.Errorf("add %s: %w", space, index.ErrSpace)
	}
	return l.changeSpaces(ctx, func(s *form.State) (bool, error) {
		if _, there := s.Of(space); there {
			return false, nil
		}
		if err := l.own(s); err != nil {
			return false, err
		}
		s.LastSpace++
		added := form.Space{Number: s.LastSpace, Fingerprint: space.Fingerprint, Parts: space.Parts, Width: space.Width, Added: l.clock().UTC()}
		for _, collection := range s.Collections() {
			if err := l.engine.AddVectors(ctx, collection, added.Vectors(), l.options.Quantisation); err != nil {
				return false, err
			}
		}
		s.Spaces = append(s.Spaces, added)
		if s.Serving == 0 {
			s.Serving = added.Number
		}
		return true, nil
	})
}

// ServeSpace implements [index.Writer].
func (l *Library) ServeSpace(ctx context.Context, space embed.Space) error {
	return l.changeSpaces(ctx, func(s *form.State) (bool, error) {
		wanted, there := s.Of(space)
		if !there {
			return false, fmt.Errorf("serve %s: %w: the library has no such space", space, index.ErrSpace)
		}
		if s.Serving == wanted.Number {
			return false, nil
		}
		s.Previous, s.Serving = s.Serving, wanted.Number
		return true, nil
	})
}

// RollbackSpace implements [index.Writer].
func (l *Library) RollbackSpace(ctx context.Context) error {
	return l.changeSpaces(ctx, func(s *form.State) (bool, error) {
		if s.Previous == 0 {
			return false, fmt.Errorf("roll back: %w: no space served before", index.ErrSpace)
		}
		s.Previous, s.Serving = s.Serving, s.Previous
		return true, nil
	})
}

// DropSpace implements [index.Writer]. The engine keeps the space's vectors until it is
// rebuilt, and the store its objects until they are swept.
func (l *Library) DropSpace(ctx context.Context, space embed.Space) error {
	return l.changeSpaces(ctx, func(s *form.State) (bool, error) {
		dropped, there := s.Of(space)
		if !there {
			return false, fmt.Errorf("drop %s: %w: the library has no such space", space, index.ErrSpace)
		}
		if s.Serving == dropped.Number {
			return false, fmt.Errorf("drop %s: %w: it serves", space, index.ErrSpace)
		}
		s.Spaces = slices.DeleteFunc(s.Spaces, func(one form.Space) bool { return one.Number == dropped.Number })
		if s.Previous == dropped.Number {
			s.Previous = 0
		}
		return true, nil
	})
}
