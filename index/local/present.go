package local

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"mekiki/index"
	"mekiki/index/local/catalog"
	"mekiki/index/local/writerlock"
	"mekiki/internal/hint"
)

// Present fails with [index.ErrMoved] when the library is no longer where it was
// opened: its folder, or what it writes to in there, was removed, renamed or
// replaced. What was read before goes on being served; nothing is written. When
// the folder is put back, so that the check passes, writes go on.
func (l *Library) Present() error {
	view, err := l.current()
	if err != nil {
		return err
	}
	defer view.release()
	return l.present()
}

// present is Present without looking whether the library is closed.
func (l *Library) present() error {
	if l.readOnly.Load() {
		if _, err := l.fsys.Stat(filepath.Join(l.folder, catalog.Folder)); errors.Is(err, fs.ErrNotExist) {
			return l.moved()
		}
		return nil
	}
	same, err := l.catalog.Attached()
	if err != nil {
		return fmt.Errorf("look for the library in %s: %w", l.folder, err)
	}
	if !same {
		return l.moved()
	}
	return nil
}

// HasWriter reports whether a process is said to be writing to the library: this one, or
// one that may have ended without closing it.
func (l *Library) HasWriter() bool {
	_, known := writerlock.ReadHolder(l.folder)
	return known
}

func (l *Library) moved() error {
	return hint.Wrap(fmt.Errorf("library %s: %w", l.folder, index.ErrMoved),
		"put the folder back where it was, or stop and name the place where it is now with --library: what was acknowledged is in it")
}

// checkStillPresent makes sure that what was just written is in the library that
// the path names. Where it is instead nobody knows, so that nothing more is
// written until the library is opened again. The writer is held.
func (l *Library) checkStillPresent() error {
	err := l.present()
	if err != nil {
		l.failed = fmt.Errorf("%w: %w", index.ErrWriter, err)
		return l.failed
	}
	return nil
}

// writable fails when nothing can be written. The writer is held.
func (l *Library) writable() error {
	if l.failed != nil {
		return l.failed
	}
	return l.present()
}
