package vfs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
)

// TemporarySuffix ends the name of a file that is being written and does not count yet.
const TemporarySuffix = ".new"

// IgnoreMissing gives nil for an error that says that a file is not there.
func IgnoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// MkdirBelow makes a folder, and those between it and root, but never root itself:
// when that is gone, somebody took it away.
func MkdirBelow(fsys FS, root, folder string) error {
	if _, err := fsys.Stat(folder); err == nil {
		return nil
	}
	if folder == root || filepath.Dir(folder) == folder {
		return &fs.PathError{Op: "mkdir", Path: folder, Err: fs.ErrNotExist}
	}
	if err := MkdirBelow(fsys, root, filepath.Dir(folder)); err != nil {
		return err
	}
	return fsys.Mkdir(folder)
}

// CopyDurably writes a file that survives a power failure: it has all of source or is
// not there.
func CopyDurably(fsys FS, name string, source io.Reader) error {
	if err := fsys.MkdirAll(filepath.Dir(name)); err != nil {
		return err
	}
	file, err := fsys.Create(name + TemporarySuffix)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.NewOffsetWriter(file, 0), source)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = fsys.Rename(name+TemporarySuffix, name)
	}
	if err != nil {
		return errors.Join(err, fsys.Remove(name+TemporarySuffix))
	}
	return fsys.SyncDir(filepath.Dir(name))
}

// WriteAtomically writes a file under its name or not at all. It need not survive a
// power failure. Unique tells the temporary file from those of other writers.
func WriteAtomically(fsys FS, name string, unique int64, write func(io.Writer) error) error {
	temporary := fmt.Sprintf("%s.%x%s", name, unique, TemporarySuffix)
	file, err := fsys.Create(temporary)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(io.NewOffsetWriter(file, 0), 1<<20)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = fsys.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(err, fsys.Remove(temporary))
	}
	return nil
}

// RemoveTemporary removes what processes that ended early left in a folder.
func RemoveTemporary(fsys FS, folder string) {
	entries, err := fsys.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), TemporarySuffix) {
			// Should another process write it just now, its renaming fails.
			_ = fsys.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}
