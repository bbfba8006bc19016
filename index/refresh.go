package index

import (
	"context"
	"fmt"
	"path/filepath"
)

// Refresh brings a library that is open for reading up to date with what its
// writer has committed since. It reports whether anything changed. Snapshots
// taken before stay as they are.
func (l *Library) Refresh(ctx context.Context) (bool, error) {
	if !l.options.ReadOnly {
		return false, nil
	}
	l.writer.Lock()
	defer l.writer.Unlock()
	view, err := l.current()
	if err != nil {
		return false, err
	}
	defer view.release()
	if changed, err := l.behind(); err != nil || !changed {
		return false, err
	}
	fresh := &Library{folder: l.folder, options: l.options, fsys: l.fsys, logger: l.logger}
	if err := fresh.openReader(ctx); err != nil {
		return false, fmt.Errorf("refresh library: %w", err)
	}
	l.mutex.Lock()
	old, oldDerived := l.view, l.derived
	l.view, l.derived, l.lookup, l.findings, l.read = fresh.view, fresh.derived, fresh.lookup, fresh.findings, fresh.read
	l.mutex.Unlock()
	// Searches in the old keyword index that are under way finish first.
	if err := oldDerived.close(); err != nil {
		l.logger.Warn("close an old keyword index", "error", err)
	}
	return true, old.release()
}

// catalogEnd is how far a reader has read the catalog.
type catalogEnd struct {
	log  uint64
	size int64
}

// behind reports whether the catalog has grown since it was read.
func (l *Library) behind() (bool, error) {
	logs, _, err := catalogFiles(l.fsys, l.folder)
	if err != nil {
		return false, err
	}
	if len(logs) == 0 || logs[len(logs)-1] != l.read.log {
		return true, nil
	}
	stat, err := l.fsys.Stat(filepath.Join(l.folder, logName(l.read.log)))
	if err != nil {
		return true, ignoreMissing(err)
	}
	return stat.Size() != l.read.size, nil
}
