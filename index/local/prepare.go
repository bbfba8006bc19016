package local

import (
	"context"
	"fmt"
)

// LacksPrepared reports whether [Library.PrepareSearch] has something to do.
func (l *Library) LacksPrepared() bool {
	v, err := l.current()
	if err != nil {
		return false
	}
	lacks := v.nearest.LacksSaved()
	return v.release() == nil && lacks
}

// PrepareSearch builds and saves what searches of many vectors need, so that no search has to
// wait for it: codes and a graph or inverted lists. It does nothing where all of that is there,
// or where there are few vectors. It ends early with the context; what was saved by then
// stays.
func (l *Library) PrepareSearch(ctx context.Context) error {
	v, err := l.current()
	if err != nil {
		return fmt.Errorf("prepare searches: %w", err)
	}
	if v.nearest.LacksSaved() {
		if _, err = v.nearest.Indexes(ctx); err == nil {
			err = v.nearest.Store.WaitBuilt(ctx)
		}
	}
	if err != nil {
		err = fmt.Errorf("prepare searches: %w", err)
	}
	if released := v.release(); err == nil {
		err = released
	}
	return err
}
