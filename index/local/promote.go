package local

import (
	"context"
	"errors"
	"fmt"

	"mekiki/index/local/catalog"
)

// Promote makes a library that is open for reading its writer. It fails with an
// error that is [index.ErrLocked] while another process writes, and then, or when
// anything else is in the way, the library goes on reading as before. Snapshots
// taken before stay as they are, and vectors of records that are as they were
// stay in memory. A library that is its writer already is left alone.
func (l *Library) Promote(ctx context.Context) error {
	l.writer.Lock()
	defer l.writer.Unlock()
	if !l.readOnly.Load() {
		return nil
	}
	from, err := l.current()
	if err != nil {
		return err
	}
	defer from.release()
	// Opening for writing makes a library where none is: not in place of this one.
	if err := l.present(); err != nil {
		return fmt.Errorf("become the writer: %w", err)
	}
	options := l.options
	options.ReadOnly = false
	fresh := newLibrary(l.folder, options, l.decoder, l.background)
	if len(l.Findings()) == 0 {
		fresh.former = from.nearest
	}
	if err := fresh.openWriter(ctx); err != nil {
		return fmt.Errorf("become the writer: %w", explain(err, l.folder))
	}
	// A library opens without a segment that cannot be read; this one has it open.
	for key := range catalog.Segments(fresh.view.state) {
		if fresh.view.segments[key] == nil && from.segments[key] != nil {
			return errors.Join(fmt.Errorf("become the writer: %s cannot be read now", key.Path()), fresh.abandon())
		}
	}
	if err := l.takeOver(fresh, from); err != nil {
		l.logger.Warn("let go of what was read before", "error", err)
	}
	return nil
}

// takeOver makes what a library has just opened this one's own. The writer is held.
func (l *Library) takeOver(fresh *Library, from *view) error {
	if store := fresh.derived.vectors; store != nil && store != from.nearest.Store {
		store.Host = l.host
	}
	fresh.derived.thumbs.Present = l.present
	l.mutex.Lock()
	old, oldDerived := l.view, l.derived
	l.view, l.derived, l.lookup, l.findings, l.read = fresh.view, fresh.derived, fresh.lookup, fresh.findings, fresh.read
	l.lock, l.catalog, l.appenders = fresh.lock, fresh.catalog, fresh.appenders
	l.mutex.Unlock()
	// Who sees this sees what was set before.
	l.readOnly.Store(fresh.readOnly.Load())
	// Snapshots of before go on searching the old keyword index.
	if err := oldDerived.keywordStore.Release(); err != nil {
		l.logger.Warn("close an old keyword index", "error", err)
	}
	return old.release()
}
