package local

import (
	"errors"
	"fmt"
	"io/fs"
	"mekiki/index"
	"mekiki/index/internal/journal"
	"mekiki/internal/hint"
	"mekiki/internal/vfs"
	"path/filepath"
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
		if _, err := l.fsys.Stat(filepath.Join(l.folder, catalogFolder)); errors.Is(err, fs.ErrNotExist) {
			return l.moved()
		}
		return nil
	}
	same, err := l.catalog.attached()
	if err != nil {
		return fmt.Errorf("look for the library in %s: %w", l.folder, err)
	}
	if !same {
		return l.moved()
	}
	return nil
}

func (l *Library) moved() error {
	return hint.Wrap(fmt.Errorf("library %s: %w", l.folder, index.ErrMoved),
		"put the folder back where it was, or stop and name the place where it is now with --library: what was acknowledged is in it")
}

// presentAfterwards makes sure that what was just written is in the library that
// the path names. Where it is instead nobody knows, so that nothing more is
// written until the library is opened again. The writer is held.
func (l *Library) presentAfterwards() error {
	err := l.present()
	if err != nil {
		l.failed = fmt.Errorf("%w: %w", index.ErrWriter, err)
		return l.failed
	}
	return nil
}

// attached reports whether the log's name still means the log that is written.
func (c *catalog) attached() (bool, error) {
	for {
		log := c.current.Load()
		same, err := log.Attached()
		if err == nil || c.current.Load() == log {
			return same, err
		} // else another log took its place meanwhile, and this one was closed
	}
}

// setLog makes a journal the one that is written.
func (c *catalog) setLog(log *journal.Writer) {
	c.log = log
	c.current.Store(log)
}

// makeFolder makes a folder of the library, and those between, but never the
// library's own, which is made once: when it is gone, somebody took it away.
func makeFolder(fsys vfs.FS, library, folder string) error {
	if _, err := fsys.Stat(folder); err == nil {
		return nil
	}
	if folder == library || filepath.Dir(folder) == folder {
		return &fs.PathError{Op: "mkdir", Path: folder, Err: fs.ErrNotExist}
	}
	if err := makeFolder(fsys, library, filepath.Dir(folder)); err != nil {
		return err
	}
	return fsys.Mkdir(folder)
}

// writable fails when nothing can be written. The writer is held.
func (l *Library) writable() error {
	if l.failed != nil {
		return l.failed
	}
	return l.present()
}
