// Package vfs is the small part of a file system that the library's truth is
// kept on, and [OS], the one of real use. Those of tests are in package vfstest.
package vfs

import (
	"errors"
	"io"
	"io/fs"
)

// FS is a file system. Names are operating system paths. Methods may be called
// from any goroutine. Errors are as package os gives them, so that errors.Is
// with fs.ErrNotExist and the like works.
type FS interface {
	// Create makes a file for reading and writing, or empties the one there is.
	// The new name is durable after SyncDir of its folder.
	Create(name string) (File, error)
	// Open opens a file for reading.
	Open(name string) (File, error)
	// OpenWrite opens an existing file for reading and writing.
	OpenWrite(name string) (File, error)
	// Remove deletes a file or an empty folder.
	Remove(name string) error
	// Rename replaces newName by oldName, atomically.
	Rename(oldName, newName string) error
	// MkdirAll makes a folder and those above it.
	MkdirAll(name string) error
	// Mkdir makes one folder. The one above it must exist: else the error is
	// fs.ErrNotExist. A folder that is there already is no error.
	Mkdir(name string) error
	// ReadDir lists a folder, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat describes a file.
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes created, renamed and removed names in a folder durable.
	SyncDir(name string) error
	// Lock takes the exclusive lock on a file, creating it when missing, and
	// holds it until the Closer is closed or the process ends. When another
	// process holds it the error is ErrLocked.
	Lock(name string) (io.Closer, error)
}

// File is an open file. ReadAt may be called from any goroutine, the other
// methods from one at a time.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync makes the file's content and size durable.
	Sync() error
	// Truncate cuts or extends the file.
	Truncate(size int64) error
	// Size is the file's current size.
	Size() (int64, error)
	// IsAt reports whether a name means this file: it does not once the file was
	// removed, renamed or replaced, or a folder above it was. Unlike the other
	// methods it may be called from any goroutine.
	IsAt(name string) (bool, error)
}

// ErrLocked is the error of FS.Lock when another process holds the lock.
var ErrLocked = errors.New("locked by another process")

// ReadFile reads a whole file of at most limit bytes; a longer one is an error.
func ReadFile(fsys FS, name string, limit int64) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("file is too long")}
	}
	data := make([]byte, size)
	if _, err := file.ReadAt(data, 0); err != nil && !(errors.Is(err, io.EOF) && size == 0) {
		return nil, err
	}
	return data, nil
}
