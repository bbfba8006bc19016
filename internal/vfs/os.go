package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"mekiki/internal/filelock"
)

// OS is the operating system's file system.
type OS struct{}

var _ FS = OS{}

// Create implements FS.
func (OS) Create(name string) (File, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	return osFile{file}, nil
}

// Open implements FS.
func (OS) Open(name string) (File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return osFile{file}, nil
}

// OpenWrite implements FS.
func (OS) OpenWrite(name string) (File, error) {
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return osFile{file}, nil
}

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

// Rename implements FS.
func (OS) Rename(oldName, newName string) error { return os.Rename(oldName, newName) }

// MkdirAll implements FS. What it makes is for its owner alone: captions and
// thumbnails are as private as the pictures. The folders above that it had to
// make are synced, so that SyncDir of the folder's parent is all a caller must add.
func (o OS) MkdirAll(name string) error {
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	if parent := filepath.Dir(name); parent != name {
		if err := o.MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(name, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	return o.SyncDir(filepath.Dir(name))
}

// Mkdir implements FS.
func (o OS) Mkdir(name string) error {
	err := os.Mkdir(name, 0o700)
	if err == nil {
		return o.SyncDir(filepath.Dir(name))
	}
	if stat, statErr := os.Stat(name); statErr == nil && stat.IsDir() {
		return nil
	}
	return err
}

// ReadDir implements FS.
func (OS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// Stat implements FS.
func (OS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// SyncDir implements FS.
func (OS) SyncDir(name string) error { return SyncFolder(name) }

// SyncFolder makes created, renamed and removed names in a folder of the operating system durable, where its file
// system has such a thing: that one has not is no error, and that it failed is.
func SyncFolder(name string) error { return syncFolder(name) }

// Lock implements FS.
func (OS) Lock(name string) (io.Closer, error) {
	held, err := filelock.TryIn(name)
	switch {
	case errors.Is(err, filelock.ErrHeld):
		return nil, ErrLocked
	case err != nil:
		return nil, err
	}
	return held, nil
}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	stat, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return stat.Size(), nil
}

func (f osFile) IsAt(name string) (bool, error) {
	held, err := f.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(held, named), err
}
